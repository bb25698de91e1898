"""Commit a model's answers to the sealed rows: signed and entered before anybody compares them with the labels."""

from __future__ import annotations

from mintage.attest.seal import seal
from mintage.certify.gather import output_item, sealed_answers
from mintage.certify.openings import Line, read_openings
from mintage.certify.policy import check_domain, check_task, read_policy
from mintage.certify.sealed import (
    Commitment,
    HoldoutSeal,
    answers_digest,
    committed_path,
    openings_path,
    read_signed,
    seal_path,
    statement_of,
)
from mintage.cli.context import Context, now
from mintage.cli.holdout_seal import read_seal
from mintage.database.connection import transaction
from mintage.errors import HoldoutHistoryError, HoldoutRowsChangedError, OpeningReplayedError, RefusedError
from mintage.model.loaded import open_built
from mintage.record.digest import sha256_bytes
from mintage.release.reconcile import environment_dir
from mintage.repo.locks import read_lock
from mintage.repo.modelfile import domain_digest
from mintage.store.publish import publish_bytes

__all__ = ["check_known", "check_rows", "commit_answers", "lines_of"]


def commit_answers(context: Context, model: str, *, against: str | None) -> tuple[Commitment, HoldoutSeal, str]:
    """Write the commitment, unless it waits already; returns it, the seal, and the holder's name."""
    workspace = context.workspace
    spec = workspace.model_spec(model)
    policy = read_policy(workspace.root / "policies" / f"{model}.yaml")
    check_domain(policy, domain_digest(spec))
    check_task(policy, spec.task)
    if against is not None:
        environment_dir(workspace, against)
    signer = context.signer_for("certificate")
    context.open_audit_log()
    sealed, signed = read_seal(context, model)
    check_rows(context, sealed, spec.data.holdout)
    lock = read_lock(workspace.root, f"model:{model}")
    if lock is None or lock.root is None:
        raise RefusedError(f"the model {model} is not built yet", hint="run `mintage run`")
    lines = lines_of(context, model)
    check_known(context, lines, signed.digest, openings_path(model))
    _check_new(lines, lock.root, policy.digest, signed.digest)
    made = Commitment(
        model=model,
        rows=sealed.rows,
        at=now(),
        root=lock.root,
        policy=policy.digest,
        seal=signed.digest,
        answers=answers_digest(sealed_answers(workspace, spec, open_built(workspace, model), sealed.path)),
        last=lines[-1].digest if lines else None,
        against=against,
    )
    holder = context.trust.name_of(sealed.to) or sealed.to
    waiting = _waiting(context, model)
    if waiting is not None and _same(waiting, made):
        return waiting, sealed, holder
    with transaction(context.connection):
        context.record_access("policy.declare", model, {"policy": policy.digest, "root": lock.root})
        details = {"seal": made.seal, "root": made.root, "policy": made.policy, "answers": made.answers}
        context.record_access("holdout.commit", model, details | {"last": made.last})
    context.checkpoint()
    publish_bytes(workspace.root / committed_path(model), seal(statement_of(made), signer))
    return made, sealed, holder


def lines_of(context: Context, model: str) -> tuple[Line, ...]:
    """The openings in the work tree, whole."""
    file = context.workspace.root / openings_path(model)
    data = file.read_bytes() if file.is_file() else b""
    return read_openings(data, context.trust.keys_for("witness"), where=openings_path(model))


def check_rows(context: Context, sealed: HoldoutSeal, path: str | None) -> None:
    """Raise HoldoutRowsChangedError unless the hold-out's rows are those that the labels were sealed for."""
    found = output_item(context.workspace, sealed.path).digest if path == sealed.path else f"{path} as the hold-out"
    if found != sealed.rows:
        raise HoldoutRowsChangedError(
            "the rows of the hold-out are not those whose labels were sealed",
            expected=f"{sealed.rows} at {sealed.path}",
            found=found,
            where=seal_path(sealed.model),
            hint="bring the lock of that table back as it was when it was sealed, and the model file's `holdout:`",
        )


def check_known(context: Context, lines: tuple[Line, ...], seal_digest: str, where: str) -> None:
    """An opening that this clone has built upon must still be there."""
    there = {line.digest for line in lines}
    for _, event in context.audit_log.events():
        last = event.details.get("last")
        if event.action == "holdout.commit" and event.details.get("seal") == seal_digest and last not in (None, *there):
            raise HoldoutHistoryError(
                f"an opening that this clone knew at {event.at} is gone",
                expected=str(last),
                found=f"{len(lines)} openings",
                where=where,
                hint="`git log` of that file shows who took it out; bring it back",
            )


def _check_new(lines: tuple[Line, ...], root: str, policy: str, seal_digest: str) -> None:
    """A model that did not pass is not opened again by the same policy: nothing but the budget would change."""
    for line in lines:
        opening = line.opening
        if not opening.passed and (opening.root, opening.policy, opening.seal) == (root, policy, seal_digest):
            raise OpeningReplayedError(
                f"this model was opened as number {opening.number} of {opening.budget}",
                found="it did not pass",
                hint="train another; `mintage holdout list MODEL` shows the openings",
            )


def _waiting(context: Context, model: str) -> Commitment | None:
    """What was committed and not opened yet."""
    file = context.workspace.root / committed_path(model)
    if not file.is_file():
        return None
    data = file.read_bytes()
    said, _ = read_signed(data, Commitment, context.trust.keys_for("certificate"), where=committed_path(model))
    opened = {line.opening.committed for line in lines_of(context, model)}
    return None if sha256_bytes(data) in opened else said


def _same(one: Commitment, other: Commitment) -> bool:
    fields = ("root", "policy", "seal", "answers", "against", "last")
    return all(getattr(one, name) == getattr(other, name) for name in fields)
