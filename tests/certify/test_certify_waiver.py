"""Waivers: what lets a FAIL stand, each reason why it does not, and a certificate that a reader judges again."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from certify_evidence import POLICY, ROOT, make_evidence, with_copied_rows

from mintage.attest.statement import Statement
from mintage.certify.certificate import certificate_statement, check_certificate, parse_certificate
from mintage.certify.certify import Outcome, certify
from mintage.certify.policy import parse_policy
from mintage.certify.testresult import as_test_result
from mintage.certify.waive import Presented
from mintage.certify.waiver import Waiver, parse_waivers, result_digest
from mintage.errors import CertificateInvalidError, FileMalformedError, WaiverExpiredError

POLICY_OF_LATE = parse_policy(POLICY.replace(b"check: L1}", b"check: L1, controls: [aia:10.3]}"), where="x")
ANA, BO = "ana@example.org", "bo@example.org"
NOW, ISSUED = "2026-11-02T12:00:00Z", "2026-11-02T12:00:05Z"
COMMIT = "4a" * 20
LINES = """\
model: late
waivers:
  - requirement: shared
    result: sha256:{result}
    reason: the segment is not served
      before March
    compensating: manual review
    approver: ana@example.org
    approved_commit: {commit}
    expires: 2027-01-31
""".format(result="0" * 64, commit=COMMIT)


@pytest.fixture(scope="module")
def failing() -> Outcome:
    """The outcome of a model whose hold-out holds rows of training, without a waiver."""
    return certify(with_copied_rows(make_evidence(), 0.1), POLICY_OF_LATE)


def digest_of(outcome: Outcome, requirement: str = "shared") -> str:
    return result_digest(next(item for item in outcome.results if item.requirement == requirement))


def present(outcome: Outcome, *, result: str | None = None, **changes: Any) -> Presented:
    """A waiver that holds, with changes to it or to its facts."""
    waiver = Waiver(
        requirement=changes.pop("requirement", "shared"),
        result=result or digest_of(outcome),
        reason="the segment is not served",
        compensating="manual review",
        approver=ANA,
        approved_commit=COMMIT,
        expires=changes.pop("expires", date(2027, 1, 15)),
    )
    facts: dict[str, Any] = {
        "committed": True,
        "approvals": (("77" * 20, ANA, "2026-11-01T09:00:00+01:00"),),
        "author": BO,
        "covers": True,
        "now": NOW,
    }
    return Presented(waiver=waiver, **(facts | changes))


def waive(*presented: Presented, share: float = 0.1) -> Outcome:
    return certify(with_copied_rows(make_evidence(), share), POLICY_OF_LATE, waivers=presented)


def state(outcome: Outcome) -> Statement:
    return certificate_statement(outcome, files={}, issued=ISSUED)


def test_waived_failure_stays_fail_and_the_model_passes_with_it(failing: Outcome) -> None:
    assert failing.verdict == "FAIL"
    outcome = waive(present(failing))
    assert (outcome.verdict, outcome.unheld) == ("PASS", ())
    assert [item.verdict for item in outcome.results if item.requirement == "shared"] == ["FAIL"]
    assert "shared FAIL, waived until 2027-01-15" in outcome.sentence
    certificate = parse_certificate(state(outcome))
    assert certificate.verdict == "PASS"
    assert certificate.waived_until("shared") == date(2027, 1, 15)
    assert [clause.state for clause in certificate.clauses] == ["not covered"]
    assert "shared" in as_test_result(certificate, subjects=state(outcome)).predicate["warnedTests"]


def test_worse_result_needs_a_new_waiver(failing: Outcome) -> None:
    outcome = waive(present(failing), share=0.2)
    assert outcome.verdict == "FAIL"
    assert [item.reason for item in outcome.unheld] == [
        "it was given for another result: a new result needs a new waiver"
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"committed": False}, "not committed"),
        ({"approvals": ()}, "not committed"),
        ({"approvals": (("7", BO, "2026-11-01T09:00:00Z"),)}, "committed by bo@example.org, not by its approver"),
        ({"author": "Ana@Example.org"}, "is the author of the model's commit"),
        ({"author": None}, "not known who is the author"),
        ({"covers": False}, "from which the model's does not come"),
        ({"expires": date(2027, 1, 31)}, "longer than 90 days"),
        ({"expires": date(2026, 11, 1)}, "expired on 2026-11-01"),
        ({"requirement": "auc"}, "nothing to waive: must, PASS"),
        ({"requirement": "lift"}, "no such requirement"),
    ],
)
def test_waiver_that_does_not_hold_says_why_and_waives_nothing(
    failing: Outcome, changes: dict[str, Any], reason: str
) -> None:
    outcome = waive(present(failing, **changes))
    assert outcome.verdict == "FAIL"
    assert reason in outcome.unheld[0].reason


def test_waiver_holds_to_the_end_of_its_last_day_and_ends_the_certificate(failing: Outcome) -> None:
    outcome = waive(present(failing, expires=date(2026, 12, 1)))
    certificate = parse_certificate(state(outcome))
    assert certificate.expires == "2026-12-02T00:00:00Z"
    digest = outcome.policy.digest
    check_certificate(certificate, root=ROOT, policy_digest=digest, now="2026-12-01T23:59:59Z")
    with pytest.raises(WaiverExpiredError, match="waiver of shared"):
        check_certificate(certificate, root=ROOT, policy_digest=digest, now="2026-12-02T00:00:00Z")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("result", "sha256:" + "1" * 64, "not for its result"),
        ("requirement", "auc", "not for its result"),
        ("author", ANA, "by the author"),
        ("expires", "2027-03-01", "runs too long"),
    ],
)
def test_certificate_with_a_waiver_that_cannot_hold_is_refused(
    failing: Outcome, field: str, value: str, says: str
) -> None:
    statement = state(waive(present(failing)))
    predicate = msgspec.json.decode(msgspec.json.encode(statement.predicate))
    predicate["waivers"][0][field] = value
    forged = Statement(subjects=statement.subjects, predicate_type=statement.predicate_type, predicate=predicate)
    with pytest.raises(CertificateInvalidError, match=says):
        parse_certificate(forged)


def test_certificate_whose_waiver_was_cut_out_is_refused(failing: Outcome) -> None:
    statement = state(waive(present(failing)))
    predicate = {**statement.predicate, "waivers": []}
    forged = Statement(subjects=statement.subjects, predicate_type=statement.predicate_type, predicate=predicate)
    with pytest.raises(CertificateInvalidError, match="verdict contradicts"):
        parse_certificate(forged)


def test_file_gives_waivers_with_the_lines_that_they_stand_on() -> None:
    (entry,) = parse_waivers(LINES.encode(), model="late", where="w.yaml")
    assert entry.waiver.reason == "the segment is not served before March"
    assert (entry.first_line, entry.last_line) == (3, 10)
    folded = LINES.replace("    expires: 2027-01-31\n", "").replace(
        "    reason: the", "    expires: 2027-01-31\n    reason: the"
    )
    assert parse_waivers(folded.encode(), model="late", where="w.yaml")[0].last_line == 10
    assert parse_waivers(b"model: late\nwaivers: []\n", model="late", where="w.yaml") == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("compensating: manual review", "compensating: ''", "a value does not fit"),
        ("approver: ana@example.org", "approver: ana", "a value does not fit"),
        ("expires: 2027-01-31", "expires: soon", "a value does not fit"),
        (f"approved_commit: {COMMIT}", "approved_commit: main", "a value does not fit"),
        ("    compensating: manual review\n", "", "'compensating' is missing"),
        ("approver:", "aprover:", "unknown key 'aprover'"),
        ("model: late", "model: early", "another model"),
    ],
)
def test_malformed_waiver_is_an_error_with_its_line(old: str, new: str, says: str) -> None:
    assert old in LINES
    with pytest.raises(FileMalformedError, match=says) as caught:
        parse_waivers(LINES.replace(old, new).encode(), model="late", where="w.yaml")
    assert str(caught.value.where).startswith("w.yaml:")
