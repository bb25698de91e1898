"""``mintage report CERT --format``: a certificate as Markdown, JSON, JUnit XML or a model card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from mintage.cli.certificate_show import certificate_value, read_certificate
from mintage.cli.console import emit, emit_json
from mintage.cli.context import Context
from mintage.errors import LinkBrokenError, RefusedError
from mintage.lineage.certificate_proof import CertificateProof
from mintage.record.digest import sha256_bytes
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["FORMATS", "export_certificate"]

FORMATS = {
    "md": "Markdown for a pull request",
    "json": "all fields",
    "junit": "JUnit XML for CI",
    "card": "a model card with Hugging Face metadata",
}


def export_certificate(target: str, *, form: str, output: Path | None, trust: Path | None, as_json: bool) -> int:
    """Write the certificate that ``target`` names in one of FORMATS, to ``output`` or stdout; it must be genuine."""
    certificate, proof, digest = read_certificate(target, trust=trust)
    if proof is None:
        raise RefusedError(
            "whose signature counts is not said, so nothing is told of the certificate",
            expected="a trust.yaml or a public key",
            hint="name it with --trust, or run the command in a clone of the project",
        )
    if form == "json":
        value = certificate_value(certificate, proof, digest)
        data = msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
    else:
        data = _rendered(proof, form)
    if output is not None:
        publish_bytes(output.absolute(), data)
    if as_json:
        written = {"report": str(output)} if output is not None else {"text": data.decode()}
        emit_json({"certificate": digest, "format": form, "verdict": certificate.verdict, **written})
    else:
        emit(data.decode().rstrip("\n") if output is None else str(output))
    return 0


def _rendered(proof: CertificateProof, form: str) -> bytes:
    certificate = proof.certificate
    if form == "junit":
        from mintage.report.certificate_junit import certificate_junit

        return certificate_junit(certificate, digest=proof.digest)
    if form == "card":
        from mintage.report.certificate_card import certificate_card

        return certificate_card(certificate, _card_of(proof), digest=proof.digest, signed_by=proof.signed_by).encode()
    from mintage.report.certificate_text import certificate_markdown

    ended = tuple(item.sentence for item in proof.ended)
    return certificate_markdown(certificate, digest=proof.digest, signed_by=proof.signed_by, ended=ended).encode()


def _card_of(proof: CertificateProof) -> dict[str, Any]:
    """card.json of the certified model, from the store, as the certificate names it; raises what the store does."""
    certificate = proof.certificate
    store = Store(Context.here().workspace.store_dir)
    record = store.get_record(certificate.facts.get("record", ""), kind="model")
    entries = store.get_tree(str(record.body["tree"])).entries
    data = next((store.get_bytes(entry.digest) for entry in entries if entry.path == "card.json"), b"{}")
    if sha256_bytes(data) != certificate.files.get("card.json"):
        raise LinkBrokenError(
            "the store has another card.json than was certified",
            expected=certificate.files.get("card.json"),
            found=sha256_bytes(data),
            hint="run `mintage pull`, or look for what changed the store",
        )
    card: dict[str, Any] = json.loads(data)
    return card
