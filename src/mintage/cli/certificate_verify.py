"""``mintage verify`` of a certificate alone: is it genuine, is it of this model, is it current?

What is not genuine, or of another model, is an error with a code of its own. A genuine one that something has ended is
told with all that ended it, and exit code 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.cli.certificate_target import FoundCertificate, find_certificate
from mintage.cli.console import emit, emit_json, plural
from mintage.cli.context import Context, now
from mintage.errors import FileMissingError, ProjectNotFoundError
from mintage.lineage.certificate_proof import CertificateProof, prove_certificate
from mintage.record.digest import is_digest

if TYPE_CHECKING:
    from mintage.attest.trust import Trust

__all__ = ["context_or_none", "proof_value", "prove", "standing_lines", "trust_in", "verify_certificate"]


def verify_certificate(target: str, *, trust: Path | None, model: str | None, must_pass: bool, as_json: bool) -> int:
    """Verify what ``target`` names, print it, and return the exit code: 0 current, 1 ended, or not PASS if it must."""
    context = context_or_none()
    found = find_certificate(target, None if context is None else context.workspace)
    proof = prove(found, context, trust=trust, model=model)
    if as_json:
        emit_json(proof_value(proof))
    else:
        _show(proof, page=found.page is not None)
    return 0 if proof.state == "current" and (proof.certificate.verdict == "PASS" or not must_pass) else 1


def prove(
    found: FoundCertificate, context: Context | None, *, trust: Path | None = None, model: str | None = None
) -> CertificateProof:
    """The proof of a certificate that was found, and of the page that carried it; raises what does not verify."""
    known = trust_in(context, trust)
    if found.page is not None:
        from mintage.report.seal_page import check_page

        check_page(found.page, known.keys_for("certificate"), where=found.where)
    return prove_certificate(
        found.data,
        where=found.where,
        trust=known,
        git=None if context is None else context.workspace.git,
        now=now(),
        root=None if model is None else _root(model),
    )


def context_or_none() -> Context | None:
    """The project around the current folder; None outside of one."""
    try:
        return Context.here()
    except ProjectNotFoundError:
        return None


def trust_in(context: Context | None, path: Path | None) -> Trust:
    """The keys that count: of the file given (a trust.yaml, or one public key), else of the project."""
    from mintage.attest.keys import PublicKey
    from mintage.attest.trust import Trust, TrustedKey, read_trust

    if path is not None and path.is_file() and path.read_bytes().startswith(b"-----BEGIN"):
        key = PublicKey.from_pem(path.read_bytes(), where=str(path))
        return Trust([TrustedKey(name=path.name, key=key, roles=("model", "certificate"))])
    if path is not None:
        return read_trust(path)
    if context is None:
        raise FileMissingError(
            "whose signature counts is not said",
            expected="a trust.yaml, or a public key, that you got from somebody you trust",
            hint="name it with --trust, or run the command in a clone of the project",
        )
    return context.trust


def proof_value(proof: CertificateProof) -> dict[str, Any]:
    """What ``--json`` says of a proof."""
    certificate = proof.certificate
    return {
        "state": proof.state,
        "certificate": proof.digest,
        "model": certificate.model,
        "root": certificate.root,
        "verdict": certificate.verdict,
        "sentence": certificate.sentence,
        "signed_by": proof.signed_by,
        "issued": certificate.issued,
        "expires": certificate.expires,
        "ended": msgspec.to_builtins(proof.ended),
        "unchecked": list(proof.unchecked),
        "commit": proof.commit,
    }


def _show(proof: CertificateProof, *, page: bool) -> None:
    certificate = proof.certificate
    results = len(certificate.results) + len(certificate.measured)
    emit(f"certificate {proof.digest} of {certificate.model} {certificate.root}")
    emit(f"  genuine: signed by {proof.signed_by}; {plural(results, 'verdict')} judged again from their numbers")
    if page:
        emit("  the page that carries it is as it was sealed")
    emit(f"  it says {certificate.verdict}: {certificate.sentence}")
    for line in standing_lines(proof):
        emit(line)


def standing_lines(proof: CertificateProof) -> list[str]:
    """Whether it is current, in lines for people."""
    if not proof.ended:
        lines = [f"  current: it holds until {proof.certificate.expires}"]
        if proof.commit is not None:
            lines[0] += f"; policy, domain, findings and revocations are as in commit {proof.commit[:10]}"
    else:
        lines = ["  NO LONGER CURRENT, though genuine:"]
        for item in proof.ended:
            lines += [f"    {item.event}: {item.sentence}", f"      hint: {item.hint}"]
    if proof.unchecked:
        lines.append(f"  not looked at, for want of a clone that has the model: {', '.join(proof.unchecked)}")
    return lines


def _root(model: str) -> str:
    """The root of the model that it must be of: a root itself, else of the model or folder with that name."""
    if is_digest(model):
        return model
    from mintage.cli.model_target import find_model

    return find_model(model).package.root
