"""Witness a policy: sign its digest, the commit that has it, and the time, by a key that is not the author's."""

from __future__ import annotations

from mintage.attest.seal import seal
from mintage.certify.holdout_use import LogMark
from mintage.certify.witnessed import Witnessed, read_witnessed, witnessed_path, witnessed_statement
from mintage.cli.context import Context, now
from mintage.database.connection import transaction
from mintage.errors import RefusedError
from mintage.record.digest import sha256_bytes
from mintage.store.publish import publish_bytes

__all__ = ["witness_policy"]


def witness_policy(context: Context, model: str) -> tuple[str, Witnessed, str]:
    """Write the word on the committed policy; returns its path, the word, and the witness's name. A policy that was
    witnessed keeps its first word."""
    workspace = context.workspace
    workspace.model_entry(model)
    signer = context.signer_for("witness")
    context.open_audit_log()
    commit, policy = _committed(context, model)
    name = context.trust.name_of(signer.key_id) or signer.key_id
    path = witnessed_path(model, policy)
    earlier = next(
        (word for word in read_witnessed(workspace.root, model, context.trust) if word.policy == policy), None
    )
    if earlier is not None:
        return path, earlier, earlier.by
    word = Witnessed(by=name, policy=policy, commit=commit, at=now())
    with transaction(context.connection):
        context.record_access("policy.witness", model, {"policy": policy, "commit": commit})
    log = LogMark(key=context.audit_log.key.vkey, note=context.checkpoint())
    statement = witnessed_statement(model=model, policy=policy, commit=commit, at=word.at, log=log)
    publish_bytes(workspace.root / path, seal(statement, signer))
    return path, word, name


def _committed(context: Context, model: str) -> tuple[str, str]:
    """The commit at HEAD and the digest of the policy in it; raises RefusedError if the work tree has another."""
    git, path = context.workspace.git, f"policies/{model}.yaml"
    head, file = git.head(), context.workspace.root / path
    data = git.show(head, path) if head else None
    if head is None or data is None or not file.is_file() or file.read_bytes() != data:
        raise RefusedError(
            "only a committed policy can be witnessed",
            expected=f"{path} as it is at HEAD",
            found="another file in the work tree" if data is not None else "no such file in the commit",
            where=path,
            hint="commit it first",
        )
    return head, sha256_bytes(data)
