"""``mintage show`` of a certificate: what was asked, what was found, how sure, by whom, and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mintage.attest.bundle import decode_bundle
from mintage.attest.statement import Statement, decode_statement
from mintage.certify.certificate import PREDICATE_TYPES, Certificate, parse_certificate
from mintage.certify.check import CheckResult
from mintage.certify.ends import end_words
from mintage.certify.example_words import example_table
from mintage.certify.order import order_reason
from mintage.certify.result_words import gate_words, measured_words, verdict_words
from mintage.cli.certificate_target import FoundCertificate, find_certificate
from mintage.cli.certificate_verify import context_or_none, prove, standing_lines
from mintage.cli.console import emit, emit_json, table
from mintage.lineage.certificate_proof import CertificateProof
from mintage.record.digest import blake3_bytes

__all__ = ["certificate_value", "read_certificate", "show_certificate"]

_WIDEST_CELL = 40


def show_certificate(target: str, *, trust: Path | None, as_json: bool) -> int:
    """Print the certificate that ``target`` names."""
    certificate, proof, digest = read_certificate(target, trust=trust)
    if as_json:
        emit_json(certificate_value(certificate, proof, digest))
        return 0
    emit(f"certificate {digest} of {certificate.model} {certificate.root}")
    emit(f"{certificate.verdict}: {certificate.sentence}")
    results = certificate.results + certificate.measured
    rows = [
        (
            verdict_words(item, waived_until=certificate.waived_until(item.requirement)),
            item.severity,
            item.requirement,
            measured_words(item),
            gate_words(item.gate),
        )
        for item in results
    ]
    emit(table(rows, head=("verdict", "severity", "requirement", "measured", "gate")))
    for item in results:
        if item.verdict != "PASS":
            emit(f"  {item.requirement}: {item.reason}")
            _show_examples(item)
    _show_people(certificate)
    emit(table(_facts(certificate), indent="  "))
    if proof is None:
        emit("  SIGNATURE NOT CHECKED: say whose counts with --trust FILE, a trust.yaml or a public key")
    else:
        emit(f"  genuine: signed by {proof.signed_by}")
        for line in standing_lines(proof):
            emit(line)
    return 0


def read_certificate(target: str, *, trust: Path | None) -> tuple[Certificate, CertificateProof | None, str]:
    """The certificate, its proof and its digest. Only where nothing says whose signature counts (outside of a project,
    without ``trust``) it is read unproven; raises what does not verify."""
    context = context_or_none()
    found = find_certificate(target, None if context is None else context.workspace)
    if context is None and trust is None:
        return parse_certificate(_unproven(found)), None, blake3_bytes(found.data)
    proof = prove(found, context, trust=trust)
    return proof.certificate, proof, proof.digest


def certificate_value(certificate: Certificate, proof: CertificateProof | None, digest: str) -> dict[str, Any]:
    """The certificate as JSON: its predicate, with what was proven of it under ``proof``."""
    proven: dict[str, Any] = {"signed_by": None, "state": "not checked", "ended": [], "unchecked": []}
    if proof is not None:
        proven = {
            "signed_by": proof.signed_by,
            "state": proof.state,
            "ended": msgspec.to_builtins(proof.ended),
            "unchecked": list(proof.unchecked),
        }
    return {
        "certificate": digest,
        "predicateType": next(name for name, known in PREDICATE_TYPES.items() if known == certificate.version),
        "proof": proven,
        **msgspec.to_builtins(certificate),
    }


def _unproven(found: FoundCertificate) -> Statement:
    return decode_statement(decode_bundle(found.data, where=found.where).envelope.payload, where=found.where)


def _show_examples(item: CheckResult) -> None:
    if item.examples:
        head, lines = example_table(item.examples, most=_WIDEST_CELL)
        emit(table(lines, head=head, indent="    "))


def _show_people(certificate: Certificate) -> None:
    for waiver in certificate.waivers:
        emit(f"  {waiver.requirement}: waived by {waiver.approver} until {waiver.expires}: {waiver.reason}")
    for item in certificate.findings:
        state = "met" if item.met else "not met"
        emit(f"  open finding {item.finding} by {item.author}, {state}: expects {item.expect}; {item.answer}")
    if certificate.clauses:
        rows = [(item.control, item.state, ", ".join(item.requirements)) for item in certificate.clauses]
        emit(table(rows, head=("clause", "state", "by")))


def _facts(certificate: Certificate) -> list[tuple[str, str]]:
    policy, statistics = certificate.policy, certificate.statistics
    of = f"the built-in default of {policy.builtin}" if policy.builtin else f"policies/{certificate.model}.yaml"
    corrected = f"{statistics.multiplicity} over {statistics.comparisons} comparisons"
    facts = [
        ("policy", f"{of}, {policy.digest}, of {policy.owner}"),
        ("domain", f"{certificate.domain}, {'pinned by the policy' if policy.domain else 'not pinned'}"),
        ("intervals", f"{statistics.confidence_each:.4g} each, {corrected}; seed {statistics.seed}"),
        ("order", order_reason(certificate.order.facts)),
        *((item.name, f"{item.rows:,} rows, {item.groups:,} groups, {item.digest}") for item in certificate.data),
        ("champion", certificate.champion or "none"),
        ("issued", certificate.issued),
        ("ends", certificate.expires),
    ]
    return facts + [("", f"or when {end_words(item)}") for item in certificate.ends if item.event != "time"]
