"""Keep what was judged: the signed certificate in the store, its name in the lock and in the audit log."""

from __future__ import annotations

from mintage.attest.seal import seal
from mintage.certify.certificate import certificate_statement
from mintage.certify.certify import Outcome
from mintage.certify.latency import latency_record
from mintage.cli.context import Context, now
from mintage.database.connection import transaction
from mintage.pipeline.model_folder import model_folder
from mintage.record.digest import sha256_file
from mintage.repo.locks import Lock, write_lock
from mintage.store.local import Store

__all__ = ["keep_certificate", "sign_certificate"]


def keep_certificate(
    context: Context, model: str, outcome: Outcome, lock: Lock, *, policy_text: bytes | None, findings: bytes
) -> str:
    """Sign and store as ``sign_certificate`` does; name the certificate in its lock and in the audit log."""
    digest = sign_certificate(context, model, outcome, lock, policy_text=policy_text, findings=findings)
    if outcome.tier == "release":  # less was asked of a pull request: that takes no place of one that releases
        write_lock(
            context.workspace.root,
            Lock(name=f"certificate:{model}", what="certificate", root=outcome.root, record=digest, run=lock.run),
        )
    with transaction(context.connection):
        details = {"root": outcome.root, "verdict": outcome.verdict, "tier": outcome.tier, "certificate": digest}
        context.record_access("certificate.issue", model, details)
    context.checkpoint()
    return digest


def sign_certificate(
    context: Context, model: str, outcome: Outcome, lock: Lock, *, policy_text: bytes | None, findings: bytes
) -> str:
    """Sign and store certificate, wall times, findings and the text of a policy that Git does not have."""
    store = Store(context.workspace.store_dir)
    assert lock.root is not None
    folder = model_folder(context.workspace, model, lock.root)
    files = {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "model.sig"
    }
    if outcome.latency is not None:
        store.put_record(latency_record(outcome.latency))
    facts = {"record": str(lock.record), "run": str(lock.run)}
    if policy_text is not None:
        facts["policy"] = store.put_bytes(policy_text)
    if findings:
        facts["findings"] = store.put_bytes(findings)
    statement = certificate_statement(outcome, files=files, issued=now(), facts=facts)
    return store.put_bytes(seal(statement, context.signer_for("certificate")))
