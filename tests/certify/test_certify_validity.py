"""What ends a genuine certificate: each event has its own sentence, and one that nothing ended is current."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import msgspec
import pytest
from certify_evidence import DOMAIN, POLICY, ROOT, make_evidence

from mintage.attest.statement import Statement
from mintage.certify.certificate import Certificate, certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.finding import Finding
from mintage.certify.policy import parse_policy
from mintage.certify.revocation import Revocation, check_not_revoked, parse_revocations
from mintage.certify.validity import RepositoryNow, unchecked, what_ended
from mintage.certify.waive import AppliedWaiver
from mintage.errors import CertificateInvalidError, CertificateRevokedError, FileMalformedError

PARSED = parse_policy(POLICY, where="policies/late.yaml")
ISSUED, NOW = "2026-11-01T12:00:00Z", "2026-11-02T12:00:00Z"
DIGEST = "b3:" + "c" * 64
FINDING = Finding(
    finding="f-0123456789", row={"a": 1}, expect="label=1", author="ana@example.org", at="2026-11-02T09:00:00Z"
)
AS_CERTIFIED = RepositoryNow(commit="4a" * 20, policy=PARSED.digest, domain=DOMAIN, findings=(), revocations=())


@pytest.fixture(scope="module")
def statement() -> Statement:
    return certificate_statement(certify(make_evidence(), PARSED), files={}, issued=ISSUED)


@pytest.fixture(scope="module")
def certificate(statement: Statement) -> Certificate:
    return parse_certificate(statement)


def revoked(**what: Any) -> Revocation:
    return Revocation(reason="not our rows", by="ana@example.org", at=date(2026, 11, 2), **what)


def ended(certificate: Certificate, now: str = NOW, **changes: Any) -> list[tuple[str, str]]:
    repository = msgspec.structs.replace(AS_CERTIFIED, **changes)
    found = what_ended(certificate, digest=DIGEST, now=now, repository=repository)
    assert all(item.hint for item in found)
    return [(item.event, item.sentence) for item in found]


def test_a_certificate_that_nothing_ended_is_current(certificate: Certificate) -> None:
    assert ended(certificate) == []
    assert ended(certificate, findings=(msgspec.structs.replace(FINDING, closed_at=NOW, closed_why="x"),)) == []
    assert ended(certificate, revocations=(revoked(root="sha256:" + "e" * 64),)) == []
    other, both = "sha256:" + "e" * 64, frozenset([PARSED.digest, DOMAIN])
    assert ended(certificate, policy=other, domain=other, uncommitted=both) == []  # certified, and not yet committed


@pytest.mark.parametrize(
    ("changes", "event", "said"),
    [
        ({"now": "2027-01-30T12:00:00Z"}, "time", "it expired on 2027-01-30T12:00:00Z"),
        ({"now": "2026-11-01T11:00:00Z"}, "time", "dated in the future"),
        ({"policy": "sha256:" + "e" * 64}, "policy", "is another: sha256:eeee"),
        ({"policy": None}, "policy", "has none"),
        ({"domain": "sha256:" + "e" * 64}, "domain", "is another than was certified"),
        ({"findings": (FINDING,)}, "finding", "ana@example.org recorded the finding f-0123456789"),
        ({"revocations": (revoked(root=ROOT),)}, "revocation", "ana@example.org revoked its model on 2026-11-02: not"),
        ({"revocations": (revoked(certificate=DIGEST),)}, "revocation", "ana@example.org revoked it on"),
    ],
)
def test_each_event_ends_it_with_a_sentence_of_its_own(
    certificate: Certificate, changes: dict[str, Any], event: str, said: str
) -> None:
    found = ended(certificate, **changes)
    assert [name for name, _ in found] == [event]
    assert said in found[0][1]


def test_what_people_approved_and_signed_ends_after_its_last_day(certificate: Certificate) -> None:
    waiver = AppliedWaiver(
        requirement="auc",
        result="sha256:" + "0" * 64,
        reason="r",
        compensating="c",
        approver="ana@example.org",
        approved_commit="4a" * 20,
        expires=date(2026, 11, 5),
        approval="5b" * 20,
        approved_at=ISSUED,
        author="tess@example.org",
    )
    signed = msgspec.structs.replace(
        certificate.results[0], requirement="oversight", check="H1", verdict="PASS", details={"expires": "2026-11-06"}
    )
    other = msgspec.structs.replace(certificate, waivers=(waiver,), results=(*certificate.results, signed))
    assert ended(other, now="2026-11-05T23:59:59Z") == []
    first = ended(other, now="2026-11-06T00:00:00Z")
    assert [name for name, _ in first] == ["waiver"] and "it held until 2026-11-05" in first[0][1]
    both = ended(other, now="2026-11-07T00:00:00Z")
    assert [name for name, _ in both] == ["waiver", "statement"] and "oversight held until 2026-11-06" in both[1][1]


def test_a_default_ends_when_the_model_gets_a_policy(certificate: Certificate) -> None:
    builtin = msgspec.structs.replace(certificate.policy, builtin="0.1")
    other = msgspec.structs.replace(certificate, policy=builtin)
    assert ended(other, policy=None) == []
    assert [name for name, _ in ended(other)] == ["policy"]


def test_without_a_clone_only_time_is_looked_at_and_the_rest_is_named(certificate: Certificate) -> None:
    assert what_ended(certificate, digest=DIGEST, now=NOW, repository=None) == ()
    assert unchecked(None) == ("policy", "domain", "finding", "revocation") and unchecked(AS_CERTIFIED) == ()


def test_the_certificate_names_what_ends_it(certificate: Certificate) -> None:
    found = {item.event: item for item in certificate.ends}
    assert list(found) == ["time", "policy", "domain", "finding", "revocation", "trust"]
    assert found["time"].at == certificate.expires == "2027-01-30T12:00:00Z"
    assert (found["policy"].what, found["policy"].digest) == ("policies/late.yaml", PARSED.digest)
    assert (found["domain"].what, found["domain"].digest) == ("models/late.yaml", DOMAIN)


def test_events_that_do_not_follow_from_the_certificate_are_refused(statement: Statement) -> None:
    predicate = copy.deepcopy(dict(statement.predicate))
    predicate["ends"] = predicate["ends"][1:]
    with pytest.raises(CertificateInvalidError, match="events that end it"):
        parse_certificate(msgspec.structs.replace(statement, predicate=predicate))
    predicate |= {"ends": []}
    with pytest.raises(CertificateInvalidError, match="events that end it"):
        parse_certificate(msgspec.structs.replace(statement, predicate=predicate))


def test_of_version_0_what_came_later_may_lack_but_not_contradict(statement: Statement) -> None:
    predicate = {name: value for name, value in statement.predicate.items() if name not in ("ends", "clauses", "tier")}
    old = "https://mintage.dev/certificate/v0"
    found = parse_certificate(
        Statement(subjects=statement.subjects, predicate_type=old, predicate=predicate | {"version": 0})
    )
    assert (found.version, found.ends, found.clauses, found.tier) == (0, (), (), "release")
    ends = statement.predicate["ends"][1:]
    with pytest.raises(CertificateInvalidError, match="events that end it"):
        parse_certificate(
            Statement(
                subjects=statement.subjects, predicate_type=old, predicate=predicate | {"version": 0, "ends": ends}
            )
        )
    for version, predicate_type in ((1, old), (0, statement.predicate_type)):
        with pytest.raises(CertificateInvalidError, match="known version"):
            parse_certificate(
                Statement(
                    subjects=statement.subjects,
                    predicate_type=predicate_type,
                    predicate=predicate | {"version": version},
                )
            )


def test_a_revocation_says_who_took_back_what_and_why() -> None:
    text = f"model: late\nrevoked:\n- {{root: '{ROOT}', reason: r, by: a@b.c, at: 2026-11-02}}\n".encode()
    found = parse_revocations(text, model="late", where="policies/late.revoked.yaml")
    with pytest.raises(CertificateRevokedError, match="the model was revoked on 2026-11-02 by a@b"):
        check_not_revoked(found, root=ROOT, certificate=None)
    check_not_revoked(found, root="sha256:" + "e" * 64, certificate=DIGEST)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"model: early\nrevoked: []\n", "revocations of another model"),
        (b"model: late\nrevoked:\n- {reason: r, by: a@b.c, at: 2026-11-02}\n", "either a model"),
        (b"model: late\nrevoked:\n- {root: x, reason: r, by: a@b.c, at: 2026-11-02}\n", "^sha256:"),
        (b"[]\n", "no revocations"),
    ],
)
def test_a_malformed_revocation_is_refused_at_its_line(text: bytes, said: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        parse_revocations(text, model="late", where="policies/late.revoked.yaml")
    assert said in f"{caught.value.message} {caught.value.expected}"
