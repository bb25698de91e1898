"""Two certificates beside each other: what got worse, what the policy asks less of, what only one of them has."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from certify_evidence import POLICY, make_evidence, with_copied_rows

from mintage.certify.certificate import Certificate, certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.compare import Listed, compare
from mintage.certify.evidence import Evidence
from mintage.certify.finding import AnsweredFinding
from mintage.certify.judge import Gate
from mintage.certify.policy import parse_policy
from mintage.certify.policy_change import gate_change
from mintage.certify.waive import AppliedWaiver

FILES = {"model.onnx": "sha256:" + "1" * 64}


def certificate_of(evidence: Evidence, policy: bytes = POLICY, issued: str = "2026-11-01T12:00:00Z") -> Certificate:
    outcome = certify(evidence, parse_policy(policy, where="policies/late.yaml"))
    return parse_certificate(certificate_statement(outcome, files=FILES, issued=issued))


@pytest.fixture(scope="module")
def passed() -> Certificate:
    return certificate_of(make_evidence())


def test_a_certificate_is_no_different_from_itself(passed: Certificate) -> None:
    found = compare(passed, passed)
    assert not any(getattr(found, name) for name in found.__struct_fields__)
    assert not found.is_worse


def test_a_verdict_that_turned_is_named_with_its_numbers_and_reason(passed: Certificate) -> None:
    failed = certificate_of(with_copied_rows(make_evidence(), 0.05))
    found = compare(passed, failed)
    turned = {item.requirement: item for item in found.verdicts}
    assert (turned["shared"].old, turned["shared"].new, turned["shared"].turn) == ("PASS", "FAIL", "worse")
    assert "rows" in turned["shared"].reason
    assert {"shared", "auc"} <= {item.requirement for item in found.numbers}
    assert ("verdict", "PASS", "FAIL") in [(item.what, item.old, item.new) for item in found.facts]
    assert found.is_worse and found.policy == ()
    back = compare(failed, passed)
    assert {item.turn for item in back.verdicts} == {"better"} and not back.is_worse


@pytest.mark.parametrize(
    ("old", "new", "kind", "what"),
    [
        (b"min: 0.70", b"min: 0.60", "loosened", "auc"),
        (b"min: 0.70", b"min: 0.71", "tightened", "auc"),
        (b"max: 0.05", b"max: 0.10", "loosened", "gap"),
        (b"check: L1", b"check: L1, severity: should", "loosened", "shared, severity"),
        (b"V4, severity: should", b"V4", "tightened", "order, severity"),
        (b"  - {id: parity, check: Z3}\n", b"", "removed", "parity"),
        (b"check: Z3}\n", b"check: Z3}\n  - {id: spare, check: L2}\n", "added", "spare"),
        (b"draws: 2000", b"draws: 2000, confidence: 0.9", "loosened", "confidence"),
        (b"draws: 2000", b"draws: 2000, multiplicity: bonferroni", "tightened", "multiplicity"),
        (b"draws: 2000", b"draws: 2000, inconclusive: allow", "loosened", "inconclusive"),
        (b"draws: 2000", b"draws: 3000", "changed", "draws"),
    ],
)
def test_a_changed_policy_says_whether_it_asks_for_less(
    passed: Certificate, old: bytes, new: bytes, kind: str, what: str
) -> None:
    assert old in POLICY
    other = certificate_of(make_evidence(), POLICY.replace(old, new))
    forth, back = compare(passed, other), compare(other, passed)
    assert [(item.kind, item.what) for item in forth.policy] == [(kind, what)]
    opposite = {"loosened": "tightened", "tightened": "loosened", "removed": "added", "added": "removed"}
    assert [item.kind for item in back.policy] == [opposite.get(kind, kind)]
    assert forth.is_worse == (kind in ("loosened", "removed"))


def test_keys_that_results_do_not_show_come_from_the_texts_of_both_policies(passed: Certificate) -> None:
    text = POLICY.replace(b"check: L1", b"check: L1, match: features_and_label").replace(
        b"owner:", b"valid_days: 200\nexamples: false\nowner:"
    )
    other = certificate_of(make_evidence(), text)
    assert compare(passed, other).policy == ()
    both = (parse_policy(POLICY, where="x"), parse_policy(text, where="x"))
    found = [(item.kind, item.what, item.old, item.new) for item in compare(passed, other, policies=both).policy]
    assert found == [
        ("loosened", "valid_days", "90", "200"),
        ("changed", "examples", "true", "false"),
        ("changed", "shared, match", "features", "features_and_label"),
    ]


def test_another_metric_on_the_other_side_is_a_change_and_not_called_milder() -> None:
    floor, ceiling = Gate(direction="at_least", threshold=0.7), Gate(direction="at_most", threshold=0.7)
    assert gate_change(floor, ceiling) == "changed"
    assert gate_change(floor, floor) is None and gate_change(floor, None) is None
    assert gate_change(floor, Gate(direction="above", threshold=0.7)) == "tightened"


def test_waivers_and_findings_that_came_or_went_are_listed(passed: Certificate) -> None:
    waiver = AppliedWaiver(
        requirement="auc",
        result="sha256:" + "0" * 64,
        reason="sales start",
        compensating="eyes",
        approver="ana@example.org",
        approved_commit="4a" * 20,
        expires=date(2026, 12, 1),
        approval="5b" * 20,
        approved_at="2026-11-01T12:00:00Z",
        author="tess@example.org",
    )
    finding = AnsweredFinding(
        finding="f-0123456789",
        expect="label=1",
        answer="label 0",
        met=False,
        is_open=True,
        author="ana@example.org",
        at="2026-11-01T12:00:00Z",
        about="",
    )
    other = msgspec.structs.replace(passed, waivers=(waiver,), findings=(finding,))
    found = compare(passed, other)
    assert found.waivers == (Listed(turn="added", what="auc", text="until 2026-12-01 by ana@example.org: sales start"),)
    assert found.findings[0].text == "expects label=1; label 0, not met"
    assert [item.turn for item in compare(other, passed).waivers] == ["gone"]
