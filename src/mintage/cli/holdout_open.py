"""Open a sealed hold-out once, as its holder: check what was committed, enter the opening, judge, sign the opening.

All that can be refused is refused before the labels are decrypted, and the opening stands in the holder's audit log
before they are. They are in this process's memory only. A model that does not pass gets one bit: its certificate, with
all figures, stays with the holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintage.attest.seal import seal
from mintage.certify.certify import Outcome
from mintage.certify.gather import sealed_answers
from mintage.certify.holdout_use import HoldoutUse, LogMark, SealedUse
from mintage.certify.openings import Entered, Line, entered_openings, next_number
from mintage.certify.policy import Policy
from mintage.certify.sealed import (
    Commitment,
    HoldoutSeal,
    Opening,
    answers_digest,
    committed_path,
    openings_path,
    read_signed,
    statement_of,
)
from mintage.certify.witnessed import read_witnessed
from mintage.cli.certificate_keep import keep_certificate, sign_certificate
from mintage.cli.certification import run_certify
from mintage.cli.context import Context, now
from mintage.cli.holdout_commit import check_rows, lines_of
from mintage.cli.holdout_opening import Look
from mintage.cli.holdout_seal import labels_with, read_seal
from mintage.database.connection import transaction
from mintage.errors import (
    AnotherHolderError,
    OpeningReplayedError,
    PackageInvalidError,
    PolicyForAnotherModelError,
    PredictionsDifferError,
)
from mintage.model.loaded import open_built
from mintage.record.digest import sha256_bytes, sha256_file
from mintage.repo.locks import Lock
from mintage.repo.modelfile import ModelSpec
from mintage.store.publish import publish_bytes

__all__ = ["open_holdout"]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be opened, checked: nothing of it rests on the labels."""

    seal: HoldoutSeal
    seal_digest: str
    commitment: Commitment
    committed: str
    number: int
    lines: tuple[Line, ...]
    entered: tuple[Entered, ...]


def open_holdout(context: Context, model: str) -> tuple[Outcome, Opening, Path]:
    """Judge what was committed; returns the outcome, which is the holder's, the signed opening, and the page."""
    spec = context.workspace.model_spec(model)
    context.audit_log.verify(published=context.checkpoint_file).require_ok()
    with context.workspace.lock("holdout"):
        asked = _check(context, spec)
        log: list[LogMark] = []

        def enter(context: Context, spec: ModelSpec, policy: Policy, root: str, *, holdout: str) -> Look:
            log.append(_enter(context, asked, spec.model))
            return _look(context, asked, policy, log[0])

        def keep(context: Context, model: str, outcome: Outcome, lock: Lock, **rest: Any) -> str:
            keeping = keep_certificate if outcome.verdict == "PASS" else sign_certificate
            return keeping(context, model, outcome, lock, **rest)

        outcome, certificate, report = run_certify(
            context, model, against=asked.commitment.against, enter=enter, keep=keep
        )
        opening = _sign(context, asked, passed=outcome.verdict == "PASS", certificate=certificate, log=log[0])
    return outcome, opening, report


def _check(context: Context, spec: ModelSpec) -> _Asked:
    signer, model = context.signer_for("witness"), spec.model
    context.signer_for("certificate")
    sealed, signed = read_seal(context, model)
    if sealed.to != signer.key_id:
        raise AnotherHolderError(
            "the labels are encrypted to another key",
            expected=context.trust.name_of(sealed.to) or sealed.to,
            found=context.trust.name_of(signer.key_id) or signer.key_id,
            hint="whoever holds that key opens them, in the clone where it lies",
        )
    check_rows(context, sealed, spec.data.holdout)
    commitment, committed = _commitment(context, model)
    _check_model(context, spec, commitment, seal_digest=signed.digest)
    lines = lines_of(context, model)
    entered = entered_openings((event for _, event in context.audit_log.events()), signed.digest)
    number = next_number(
        sealed, signed.digest, commitment, committed, lines=lines, entered=entered, where=openings_path(model)
    )
    _check_answers(context, spec, sealed, commitment)
    return _Asked(
        seal=sealed,
        seal_digest=signed.digest,
        commitment=commitment,
        committed=committed,
        number=number,
        lines=lines,
        entered=entered,
    )


def _commitment(context: Context, model: str) -> tuple[Commitment, str]:
    file = context.workspace.root / committed_path(model)
    if not file.is_file():
        raise OpeningReplayedError(
            f"nothing is committed for the sealed hold-out of {model}",
            where=committed_path(model),
            hint=f"the model's author runs `mintage certify {model}`, and commits that file",
        )
    said, signed = read_signed(
        file.read_bytes(), Commitment, context.trust.keys_for("certificate"), where=committed_path(model)
    )
    if signed.key_id == context.signer.key_id:
        raise AnotherHolderError(
            "the holder of the labels committed these answers himself",
            expected="another person's signature",
            found=context.trust.name_of(signed.key_id) or signed.key_id,
            where=committed_path(model),
            hint="who can read the labels cannot be judged by them",
        )
    return said, signed.digest


def _check_model(context: Context, spec: ModelSpec, commitment: Commitment, *, seal_digest: str) -> None:
    """What was committed is of the model, the policy and the seal that stand here."""
    root, where = open_built(context.workspace, spec.model).root, committed_path(spec.model)
    again = f"commit again with what holds now: mintage certify {spec.model}"
    if (commitment.model, commitment.root, commitment.seal) != (spec.model, root, seal_digest):
        raise PackageInvalidError(
            "what was committed is of another model or another seal",
            expected=f"{spec.model} {root}, seal {seal_digest}",
            found=f"{commitment.model} {commitment.root}, seal {commitment.seal}",
            where=where,
            hint=again,
        )
    policy = sha256_file(context.workspace.root / "policies" / f"{spec.model}.yaml")
    if commitment.policy != policy:
        raise PolicyForAnotherModelError(
            "what was committed asks for another policy",
            expected=policy,
            found=commitment.policy,
            where=where,
            hint=again,
        )


def _check_answers(context: Context, spec: ModelSpec, sealed: HoldoutSeal, commitment: Commitment) -> None:
    package = open_built(context.workspace, spec.model)
    found = answers_digest(sealed_answers(context.workspace, spec, package, sealed.path))
    if found != commitment.answers:
        raise PredictionsDifferError(
            "the committed answers are not those that this model gives to the sealed rows",
            expected=found,
            found=commitment.answers,
            where=committed_path(spec.model),
            hint="commit again with `mintage certify`; 32-bit floats may differ on another processor",
        )


def _enter(context: Context, asked: _Asked, model: str) -> LogMark:
    """Enter the opening before the look, unless one that broke off did."""
    if all(item.number != asked.number for item in asked.entered):
        commitment = asked.commitment
        details = {"holdout": asked.seal.rows, "policy": commitment.policy, "root": commitment.root}
        details |= {"seal": asked.seal_digest, "number": str(asked.number), "committed": asked.committed}
        with transaction(context.connection):
            context.record_access("holdout.open", model, details)
    return LogMark(key=context.audit_log.key.vkey, note=context.checkpoint())


def _look(context: Context, asked: _Asked, policy: Policy, log: LogMark) -> Look:
    """What the certificate says of this opening; the holder is the witness of the policy that he opened for first."""
    holder = context.trust.name_of(context.signer.key_id) or context.signer.key_id
    entered = entered_openings((event for _, event in context.audit_log.events()), asked.seal_digest)
    own = [line.opening for line in asked.lines if line.opening.seal == asked.seal_digest]
    seen = [(item.at, item.policy, holder) for item in entered] + [(item.at, item.policy, holder) for item in own]
    words = [
        (word.at, word.policy, word.by) for word in read_witnessed(context.workspace.root, policy.model, context.trust)
    ]
    witnessed_at, _, by = min(item for item in (*words, *seen) if item[1] == policy.digest)
    sealed = SealedUse(
        seal=asked.seal_digest,
        number=asked.number,
        budget=asked.seal.budget,
        holder=holder,
        committed=asked.committed,
    )
    use = HoldoutUse(
        digest=asked.seal.rows,
        models=len({asked.commitment.root, *(item.root for item in own)}),
        looks=asked.number,
        rules=policy.holdout,
        log=log,
        sealed=sealed,
    )
    signer = context.signer
    return Look(
        first_at=min(item[0] for item in seen),
        use=use,
        witness=by,
        witnessed_at=witnessed_at,
        unsealed=lambda table: labels_with(table, asked.seal, signer),
    )


def _sign(context: Context, asked: _Asked, *, passed: bool, certificate: str, log: LogMark) -> Opening:
    commitment, model = asked.commitment, asked.seal.model
    opening = Opening(
        model=model,
        rows=asked.seal.rows,
        at=_entered_at(context, asked),
        root=commitment.root,
        policy=commitment.policy,
        seal=asked.seal_digest,
        number=asked.number,
        budget=asked.seal.budget,
        committed=asked.committed,
        previous=asked.lines[-1].digest if asked.lines else None,
        passed=passed,
        certificate=certificate,
        log=log,
    )
    line = seal(statement_of(opening), context.signer_for("witness"))
    file = context.workspace.root / openings_path(model)
    old = file.read_bytes() if file.is_file() else b""
    with transaction(context.connection):
        details = {"seal": asked.seal_digest, "number": str(asked.number), "opening": sha256_bytes(line)}
        context.record_access("holdout.opened", model, details)
    publish_bytes(file, old + line + b"\n")
    context.checkpoint()
    return opening


def _entered_at(context: Context, asked: _Asked) -> str:
    entered: Sequence[Entered] = entered_openings((event for _, event in context.audit_log.events()), asked.seal_digest)
    return next((item.at for item in entered if item.number == asked.number), now())
