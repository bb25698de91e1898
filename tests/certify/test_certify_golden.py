"""Certifications of version 1, written once and kept: each later version reads, proves and judges them the same.

Those of version 0 are read too. See golden/README.md.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from certify_behave import make_behaving
from certify_own import judged, make_workspace, with_files
from cryptography.hazmat.primitives.asymmetric import ec

import mintage.check
from mintage.attest.encrypt import Encrypted, decrypt_with
from mintage.attest.keys import FileSigner
from mintage.attest.seal import seal
from mintage.attest.trust import Trust, read_trust
from mintage.certify.attested import read_attested
from mintage.certify.certificate import Certificate, check_certificate
from mintage.certify.finding import parse_findings
from mintage.certify.openings import next_number, read_openings
from mintage.certify.policy import check_domain, parse_policy, read_policy
from mintage.certify.registry import find_checks
from mintage.certify.revocation import check_not_revoked, parse_revocations
from mintage.certify.sealed import Commitment, HoldoutSeal, read_signed, statement_of
from mintage.certify.waiver import parse_waivers, read_waivers, result_digest
from mintage.certify.witnessed import read_witnessed
from mintage.cli.certificate_show import certificate_value
from mintage.errors import (
    CertificateRevokedError,
    FileMalformedError,
    OpeningReplayedError,
    SignatureInvalidError,
    StatementInvalidError,
    WaiverExpiredError,
)
from mintage.lineage.certificate_proof import CertificateProof, prove_certificate
from mintage.record.envelope import decode, record_id
from mintage.repo.modelfile import domain_digest, parse_model_file
from mintage.report.seal_page import carried_by, check_page

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = ("v0", "v1")
DIGESTS = {
    ("v0", "open"): "b3:1a7489eddc8713f9c619ab604a0a7b6cb31ddc8c94215751886a4aa688329090",
    ("v0", "sealed"): "b3:fb53b7f29a510e893a27883a01135729b86645b0f2e1433c24cdfdd140774bba",
    ("v1", "open"): "b3:9d44d2dfc9727f2bbfe848aa12503ce2662b11c42fccb9d2af774ee0c2cfc695",
    ("v1", "sealed"): "b3:b516916551a0e5e6a1daeb5fdc13ef45501db2210592d6c688f6f2158df8e88e",
}
ROOTS = {
    "open": "sha256:69289671f88fcb066497d4e4ae9089ed179e5f0d9ab1eaca16dc9178597bf6a4",
    "sealed": "sha256:e620a77fa58823e212a01213d96143f5fa4ef9dae1d16880c4925da67d8200ad",
}
LATER = "2026-11-27T12:00:00Z"
each_version = pytest.mark.parametrize("version", VERSIONS)


def trust_of(folder: Path) -> Trust:
    return read_trust(folder / "trust.yaml")


def proven(version: str, project: str) -> CertificateProof:
    """The certificate as whoever was handed the file and trust.yaml proves it."""
    folder = GOLDEN / version / project
    data = (folder / "certificate.json").read_bytes()
    return prove_certificate(
        data, where="certificate.json", trust=trust_of(folder), git=None, now=LATER, root=ROOTS[project]
    )


def opened(version: str) -> Certificate:
    return proven(version, "open").certificate


@each_version
@pytest.mark.parametrize(("project", "signer"), [("open", "local"), ("sealed", "ben")])
def test_a_certificate_is_proven_judged_the_same_and_allows_its_model(version: str, project: str, signer: str) -> None:
    proof = proven(version, project)
    certificate = proof.certificate
    assert (proof.digest, proof.signed_by, proof.state) == (DIGESTS[version, project], signer, "current")
    assert f"v{certificate.version}" == version and certificate.verdict == "PASS"
    policy = read_policy(GOLDEN / version / project / "policies/buys.yaml")
    check_certificate(certificate, root=ROOTS[project], policy_digest=policy.digest, now=LATER)
    asked = {item.id: item.check for item in policy.requirements}
    assert {item.requirement: item.check for item in certificate.results + certificate.measured} == asked


@each_version
def test_each_result_is_as_it_was(version: str) -> None:
    certificate = opened(version)
    verdicts = {item.requirement: item.verdict for item in certificate.results + certificate.measured}
    assert verdicts.pop("order") == "INCONCLUSIVE" and verdicts.pop("loss") == "FAIL"
    assert set(verdicts.values()) == {"PASS"} and len(verdicts) == 6
    auc = certificate.results[0]
    assert auc.interval is not None
    assert (auc.estimate, auc.interval.low) == (0.8058024691358024, 0.7438827474847844)
    assert [(item.control, item.state) for item in certificate.clauses] == [
        ("aia:14.4", "attested"),
        ("aia:15.1", "not covered"),
    ]
    assert [item.event for item in certificate.ends] == [
        *("time", "policy", "domain", "finding", "waiver", "statement", "revocation", "trust"),
    ]


@each_version
def test_a_certificate_with_one_byte_changed_is_refused(version: str) -> None:
    folder = GOLDEN / version / "open"
    data = (folder / "certificate.json").read_bytes()
    changed = data.replace(b'"payload":"eyJ', b'"payload":"eyK', 1)
    assert changed != data
    with pytest.raises(SignatureInvalidError):
        prove_certificate(changed, where="x", trust=trust_of(folder), git=None, now=LATER)


@each_version
def test_a_waiver_is_for_its_result_and_ends(version: str) -> None:
    certificate = opened(version)
    (entry,) = read_waivers(GOLDEN / version / "open", "buys")
    (applied,) = certificate.waivers
    assert applied.requirement == entry.waiver.requirement == "loss" and applied.approver == "ana@example.org"
    failed = next(item for item in certificate.results if item.requirement == "loss")
    assert entry.waiver.result == applied.result == result_digest(failed)
    with pytest.raises(WaiverExpiredError):
        check_certificate(
            certificate, root=certificate.root, policy_digest=certificate.policy.digest, now="2026-12-28T00:00:00Z"
        )


@each_version
def test_findings_are_read_the_open_ones_stand_on_the_certificate(version: str) -> None:
    path = GOLDEN / version / "open/policies/buys.findings.jsonl"
    first, second = parse_findings(path.read_bytes(), where=path.name)
    assert (first.row, first.expect, first.is_open) == ({"pages": 95.0, "minutes": 9.0}, "label=1", True)
    assert (second.row["pages"], second.closed_why) == (None, "it is")
    assert [(item.finding, item.met) for item in opened(version).findings] == [(first.finding, True)]


@each_version
def test_what_a_person_attested_counts_until_its_last_day(version: str) -> None:
    folder = GOLDEN / version / "open"
    for now, fault in ((LATER, None), ("2027-12-01T00:00:00Z", "it expired on 2027-11-26")):
        found = read_attested(folder, "buys", ["oversight"], trust=trust_of(folder), now=now)["oversight"]
        assert (found.says, found.by, found.document) == ("a person sees each answer", "local", "plan.md")
        assert found.fault == fault


@each_version
def test_a_revocation_takes_the_certificate_back(version: str) -> None:
    path = GOLDEN / version / "open/policies/buys.revoked.yaml"
    revoked = parse_revocations(path.read_bytes(), model="buys", where=path.name)
    with pytest.raises(CertificateRevokedError, match=r"by ana@example\.org: shown how to take one back"):
        check_not_revoked(revoked, root=ROOTS["open"], certificate=DIGESTS[version, "open"])


@each_version
def test_wall_times_and_the_declared_domain_are_those_that_the_certificate_names(version: str) -> None:
    certificate, folder = opened(version), GOLDEN / version / "open"
    record = decode((folder / "latency.json").read_bytes(), kind="latency")
    assert record_id(record) == certificate.latency and len(record.body["nanoseconds"]) == 50
    spec = parse_model_file((folder / "models/buys.yaml").read_bytes(), where="models/buys.yaml")
    assert domain_digest(spec) == certificate.domain
    check_domain(read_policy(folder / "policies/buys.yaml"), certificate.domain)


@each_version
def test_the_page_is_as_it_was_sealed_and_carries_the_certificate(version: str) -> None:
    folder = GOLDEN / version / "open"
    page = gzip.decompress((folder / "page.html.gz").read_bytes())
    check_page(page, trust_of(folder).keys_for("certificate"), where="page.html")
    assert carried_by(page, where="page.html").certificate == (folder / "certificate.json").read_bytes()


@each_version
def test_the_report_in_json_still_has_each_field_with_its_value(version: str) -> None:
    kept = json.loads((GOLDEN / version / "open/report.json").read_bytes())
    proof = proven(version, "open")
    made = certificate_value(proof.certificate, proof, proof.digest)
    kept["proof"].pop("unchecked"), made["proof"].pop("unchecked")  # it was made in the project, this is read alone
    assert_has(json.loads(msgspec.json.encode(made)), kept)


def assert_has(made: Any, kept: Any) -> None:
    """All of ``kept`` is in ``made``; a later version may say more."""
    if isinstance(kept, dict):
        for name, value in kept.items():
            assert_has(made[name], value)
    elif isinstance(kept, list):
        for one, value in zip(made, kept, strict=True):
            assert_has(one, value)
    else:
        assert made == kept


@each_version
def test_a_sealed_holdout_has_its_commitment_its_opening_and_its_witness(version: str) -> None:
    folder = GOLDEN / version / "sealed"
    trust, use = trust_of(folder), proven(version, "sealed").certificate.holdout
    holdouts, holder = folder / "holdouts/buys", trust.keys_for("witness")
    sealed, signed = read_signed((holdouts / "seal.json").read_bytes(), HoldoutSeal, holder, where="seal.json")
    said = (holdouts / "committed.json").read_bytes()
    commitment, committed = read_signed(said, Commitment, trust.keys_for("certificate"), where="committed.json")
    lines = read_openings((holdouts / "openings.jsonl").read_bytes(), holder, where="openings.jsonl")
    assert (sealed.target, sealed.count, sealed.budget) == ("bought", 180, 3)
    assert commitment.root == ROOTS["sealed"] and commitment.seal == signed.digest
    assert [(line.opening.passed, line.opening.committed) for line in lines] == [(True, committed.digest)]
    assert lines[0].opening.certificate == DIGESTS[version, "sealed"]
    assert use is not None and use.sealed is not None
    assert (use.sealed.seal, use.sealed.committed, use.sealed.number) == (signed.digest, committed.digest, 1)
    with pytest.raises(OpeningReplayedError):
        next_number(
            *(sealed, signed.digest, commitment, committed.digest), lines=lines, entered=(), where="openings.jsonl"
        )
    (word,) = read_witnessed(folder, "buys", trust)
    certificate = proven(version, "sealed").certificate
    assert (word.by, word.policy) == ("ben", certificate.policy.digest) and certificate.order.state == "proven"


def test_the_holder_of_a_key_reads_what_was_encrypted_to_it() -> None:
    holder = FileSigner(ec.derive_private_key(2013, ec.SECP256R1()), name="holder")
    message = msgspec.json.decode((GOLDEN / "v1/encrypted.json").read_bytes(), type=Encrypted)
    assert decrypt_with(holder, message, bound=b"rows") == b"labels"


def test_a_policy_of_version_1_asks_for_each_of_its_checks_with_all_keys() -> None:
    policy = parse_policy((GOLDEN / "v1/every.yaml").read_bytes(), where="policies/late.yaml")
    assert len({item.check for item in policy.requirements}) == 40 and len(policy.requirements) == 44
    assert {item.check for item in policy.requirements} <= set(find_checks())
    assert (policy.valid_days, policy.check_limit_s, policy.holdout.max_models) == (30, 300, 20)
    assert policy.statistics.false_share == 0.1


@pytest.mark.parametrize("number", ["0", "2", "true", "'1'"])
@pytest.mark.parametrize("name", ["policies/buys.yaml", "policies/buys.waivers.yaml", "policies/buys.revoked.yaml"])
def test_a_file_of_another_version_is_an_error_at_its_line_whatever_else_it_has(name: str, number: str) -> None:
    text = (GOLDEN / "v1/open" / name).read_text()

    def read(head: str) -> object:
        data = (head + text).encode()
        if name.endswith("waivers.yaml"):
            return parse_waivers(data, model="buys", where=name)
        if name.endswith("revoked.yaml"):
            return parse_revocations(data, model="buys", where=name)
        return parse_policy(data, where=name)

    read("version: 1\n")
    with pytest.raises(FileMalformedError) as caught:
        read(f"new_key: 1\nversion: {number}\n" if number == "2" else f"version: {number}\n")
    assert caught.value.where is not None and name in caught.value.where
    if number in ("0", "2"):
        assert "another version" in caught.value.message and caught.value.expected == "1"


def test_a_finding_of_another_version_is_refused_at_its_line() -> None:
    line = (GOLDEN / "v1/open/policies/buys.findings.jsonl").read_text().splitlines()[0]
    assert len(parse_findings(line.replace("{", '{"version": 1, ', 1).encode(), where="x")) == 1
    with pytest.raises(FileMalformedError) as caught:
        parse_findings(line.replace("{", '{"version": 2, ', 1).encode(), where="x")
    assert caught.value.where == "x:1" and "version" in str(caught.value.found)


def test_a_statement_whose_type_and_version_differ_is_refused() -> None:
    folder, signer = GOLDEN / "v1/sealed", FileSigner(ec.derive_private_key(2013, ec.SECP256R1()), name="x")
    committed = (folder / "holdouts/buys/committed.json").read_bytes()
    said, _ = read_signed(committed, Commitment, trust_of(folder).keys_for("certificate"), where="c")
    old = statement_of(msgspec.structs.replace(said, version=0))
    assert old.predicate_type == "https://mintage.dev/holdout-commitment/v0"
    for statement, read in ((old, True), (msgspec.structs.replace(old, predicate=statement_of(said).predicate), False)):
        data = seal(statement, signer)
        if read:
            assert read_signed(data, Commitment, [signer.public], where="c")[0].root == said.root
        else:
            with pytest.raises(StatementInvalidError):
                read_signed(data, Commitment, [signer.public], where="c")


OWN = {
    "value": ("check: own, file: checks/value.py, max: 0.5, options: {kind: x}", "Rows of a kind"),
    "figure": ("check: own, file: checks/figure.py, min: 0.6", "share that is right"),
    "examples": ("check: own, file: checks/examples.py, max: 0", "Rows whose answer falls when a rises"),
    "relations": ("check: B3, relations: checks/relations.py, examples: 40", None),
}


@pytest.mark.parametrize("name", OWN)
def test_own_checks_of_version_1_run_as_they_are(name: str, tmp_path: Path) -> None:
    if name == "relations":
        pytest.importorskip("hypothesis", reason="needs hypothesis: pip install 'mintage[relations]'")
    line, title = OWN[name]
    text = (GOLDEN / f"v1/own/{name}.py").read_text()
    evidence = with_files(make_behaving("binary", rows=300), make_workspace(tmp_path), {name: text})
    (found,) = judged(evidence, line)
    assert found.verdict == "PASS", found.reason
    assert title is None or found.title == title


NAMES = {
    *("Answers", "Champion", "Check", "CheckResult", "Columns", "Evidence", "Gate", "Interval", "LatencyRun"),
    *("Measurement", "MetricRequirement", "Native", "PolicyUnfitError", "Requirement", "Resampling", "Served"),
    *("Severity", "Split", "Task", "Verdict", "bootstrap_of", "conclude", "exact", "judge", "measure_gains"),
    *("measure_gap", "measure_metric", "measure_share", "measured_samples", "without_number"),
}


def test_packages_of_the_protocol_of_version_1_find_what_they_import() -> None:
    assert mintage.check.PROTOCOL == 1
    assert set(mintage.check.__all__) >= NAMES
    evidence = make_behaving("binary", rows=40)
    for name in ["task", "train", "holdout", "classes", "served", "inputs", "validation", "formats", "retraining"]:
        assert hasattr(evidence, name), name
    for name in ["columns", "labels", "answers", "groups", "extra"]:
        assert hasattr(evidence.holdout, name), name
    for name in ["ask", "ask_anew", "ask_reloaded", "accepts"]:
        assert hasattr(evidence.served, name), name
