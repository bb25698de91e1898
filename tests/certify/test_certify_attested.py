"""What people attest: a signed statement counts while its key, its document and its time do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from certify_evidence import POLICY, make_evidence

from mintage.attest.keys import FileSigner
from mintage.attest.seal import seal
from mintage.attest.trust import Trust, TrustedKey
from mintage.certify.attested import Attested, attested_path, attested_statement, read_attested
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.policy import parse_policy
from mintage.record.digest import sha256_file

NOW = "2026-11-02T12:00:00Z"
ASKING = POLICY + b"  - {id: oversight, check: H1, asks: a person can override, controls: ['aia:14.4']}\n"
POLICY_OF_LATE = parse_policy(ASKING, where="x")


class Desk:
    """A project's folder with a document, and the key of who attests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "plan.md").write_text("who overrides, and how")
        self.signer = FileSigner.create(root / "ana.pem", name="ana")
        self.trust = Trust([TrustedKey(name="ana", key=self.signer.public, roles=("certificate",))])

    def state(self, *, requirement: str = "oversight", document: str = "plan.md", model: str = "late") -> None:
        statement = attested_statement(
            model=model,
            requirement=requirement,
            says="a dispatcher can override each answer",
            document=document,
            digest=sha256_file(self.root / "plan.md"),
            at="2026-11-01T12:00:00Z",
            expires=date(2026, 12, 1),
        )
        path = self.root / attested_path("late", "oversight")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(seal(statement, self.signer))

    def read(self, *, now: str = NOW) -> dict[str, Attested]:
        return read_attested(self.root, "late", ["oversight", "other"], trust=self.trust, now=now)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def verdict(attested: dict[str, Attested]) -> tuple[str, str]:
    outcome = certify(make_evidence(attested=attested), POLICY_OF_LATE)
    result = next(item for item in outcome.results if item.check == "H1")
    return result.verdict, result.reason


def test_statement_meets_its_requirement_and_its_clause_is_attested(desk: Desk) -> None:
    desk.state()
    attested = desk.read()
    assert list(attested) == ["oversight"] and attested["oversight"].fault is None
    outcome = certify(make_evidence(attested=attested), POLICY_OF_LATE)
    assert outcome.verdict == "PASS"
    certificate = parse_certificate(certificate_statement(outcome, files={}, issued=NOW))
    assert [(item.control, item.state) for item in certificate.clauses] == [("aia:14.4", "attested")]
    assert certificate.expires == "2026-12-02T00:00:00Z"  # not longer than what people stand for
    found = next(item for item in certificate.results if item.check == "H1")
    assert found.reason.startswith("ana attests on 2026-11-01, with plan.md: a dispatcher")


def test_without_a_statement_nobody_knows() -> None:
    said, reason = verdict({})
    assert said == "INCONCLUSIVE"
    assert reason.startswith("nobody has attested it: a person can override")


def test_statement_that_does_not_count_fails_and_says_why(desk: Desk, tmp_path: Path) -> None:
    desk.state()
    assert verdict(desk.read(now="2026-12-02T00:00:00Z")) == (
        "FAIL",
        "the statement does not count: it expired on 2026-12-01",
    )
    (tmp_path / "plan.md").write_text("nobody overrides")
    assert "plan.md was changed since" in verdict(desk.read())[1]
    (tmp_path / "plan.md").unlink()
    assert "plan.md is not there" in verdict(desk.read())[1]


def test_statement_by_another_key_for_another_requirement_or_outside_the_project_does_not_count(desk: Desk) -> None:
    desk.state(requirement="parity")
    assert "signed for parity of late" in str(desk.read()["oversight"].fault)
    desk.state(model="early")
    assert "signed for oversight of early" in str(desk.read()["oversight"].fault)
    desk.state(document="../plan.md")
    assert "is not there" in str(desk.read()["oversight"].fault)
    desk.state()
    desk.trust = Trust([])
    assert "not trusted" in str(desk.read()["oversight"].fault)


def test_changed_statement_does_not_count(desk: Desk) -> None:
    desk.state()
    path = desk.root / attested_path("late", "oversight")
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"sig":"ME', b'"sig":"MF'))
    assert path.read_bytes() != data
    assert desk.read()["oversight"].fault is not None
    path.write_bytes(b"{}")
    assert desk.read()["oversight"].fault is not None
