"""``mintage reproduce REV|MODEL``: rebuild what a commit recorded in an empty place, and sign how near it came.

Exit code: 0 the level of ``--at-least`` was reached (identical, without); else 10 identical in canonical form, 11
within tolerance, 1 different. What keeps it from being rebuilt has the exit code of its error.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from mintage import __version__
from mintage.attest.seal import seal
from mintage.cli.console import emit, emit_json, plural, say
from mintage.cli.context import Context, now
from mintage.cli.reproductions import REFS, known_keys, list_reproductions
from mintage.database.connection import transaction
from mintage.errors import GitError, RemoteError, StageFailedError, UndeclaredReadError, UnknownNameError
from mintage.pipeline.events import Event
from mintage.pipeline.reproduce.compare import LEVELS, Level, reaches
from mintage.pipeline.reproduce.reproduce import How, reproduce
from mintage.pipeline.reproduce.sources import Sources
from mintage.pipeline.reproduce.statement import reproduction_statement
from mintage.pipeline.reproduce.verdict import Reproduction
from mintage.record.digest import hex_of, short
from mintage.repo.nearest import nearest_hint
from mintage.repo.remote import open_remote
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["configure", "run"]

_CODES: dict[Level, int] = {"identical": 0, "canonical": 10, "tolerance": 11, "different": 1}
_WORDS: dict[Level, str] = {
    "identical": "identical",
    "canonical": "identical in canonical form",
    "tolerance": "within tolerance",
    "different": "DIFFERENT",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", default="HEAD", help="a revision (HEAD), or a model of mintage.yaml")
    parser.add_argument("--rev", default="HEAD", help="with a model: the revision that recorded it (HEAD)")
    parser.add_argument(
        "--independent",
        action="store_true",
        help="inputs from the remote alone, an environment built from the lock, the network closed",
    )
    parser.add_argument("--network", action="store_true", help="leave the network open to stages")
    parser.add_argument("--list", action="store_true", help="show who rebuilt that commit, and how near they came")
    parser.add_argument("--at-least", choices=LEVELS, default="identical", help="the level to reach (identical)")
    parser.add_argument(
        "--tolerance", type=_tolerance, default=1e-6, metavar="X", help="how far numbers may be apart (1e-6)"
    )


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    models = workspace.project(allow_unmade=True).models
    model = arguments.target if arguments.target in models else None
    commit = _commit(workspace, arguments.rev if model is not None else arguments.target, list(models))
    if arguments.list:
        return list_reproductions(context, commit, as_json=arguments.json)
    context.open_audit_log()
    how = How(
        commit=commit,
        target=arguments.target,
        model=model,
        sources=Sources(_stores(workspace, independent=arguments.independent)),
        independent=arguments.independent,
        network=arguments.network,
        tolerance=arguments.tolerance,
        clock=now,
        actor=context.actor,
    )
    say(f"reproducing {how.commit[:12]} in an empty store")
    found = _rebuilt(workspace, how)
    digest, ref = _attest(context, found)
    code = 0 if reaches(found.level, arguments.at_least) else _CODES[found.level]
    if arguments.json:
        body = {**msgspec.to_builtins(found), "level": found.level, "attestation": digest, "ref": ref}
        body["stages"] = [{"level": stage.level, **msgspec.to_builtins(stage)} for stage in found.stages]
        first = found.first_divergent
        emit_json({**body, "first_divergent": None if first is None else first.name})
        return code
    _show(found)
    say(f"attestation {short(digest)}, signed by {known_keys(context)[context.signer.key_id][1]}, under {ref}")
    return code


def _rebuilt(workspace: Workspace, how: How) -> Reproduction:
    try:
        return reproduce(workspace, how, on_event=_tell)
    except StageFailedError as error:
        if not how.network and not isinstance(error, UndeclaredReadError):
            error.hint = "if it needs the network, which is closed here, try --network; if it needs a file, declare it"
        raise


def _commit(workspace: Workspace, revision: str, models: list[str]) -> str:
    try:
        return workspace.git.resolve(revision)
    except GitError as error:
        raise UnknownNameError(
            f"there is no revision {revision!r}, and no such model",
            expected=", ".join(["a commit, tag or branch", *models]),
            where=str(workspace.root),
            hint=nearest_hint(
                revision, models, otherwise="`git log` lists commits; `git fetch` brings those of others"
            ),
        ) from error


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise ValueError(text)
    return value


def _stores(workspace: Workspace, *, independent: bool) -> list[Store]:
    """Where recorded bytes may come from; raises RemoteError with ``independent`` where there is no remote."""
    try:
        remote = [open_remote(workspace, home=Path.home(), make=False)]
    except RemoteError:
        if independent:
            raise
        remote = []
    return remote if independent else [Store(workspace.store_dir), *remote]


def _attest(context: Context, found: Reproduction) -> tuple[str, str]:
    """Sign it, keep it in the store and under a ref of its own, and enter it in the audit log."""
    workspace = context.workspace
    statement = reproduction_statement(
        found, project=workspace.project(allow_unmade=True).project, by=context.actor, at=now(), version=__version__
    )
    sealed = seal(statement, context.signer)
    digest = Store(workspace.store_dir).put_bytes(sealed)
    ref = f"{REFS}/{found.commit}/{hex_of(digest)[:12]}"
    workspace.git.run("update-ref", ref, workspace.git.run("hash-object", "-w", "--stdin", data=sealed))
    with transaction(context.connection):
        details = {"commit": found.commit, "level": found.level, "attestation": digest}
        context.record_access("pipeline.reproduce", found.target, details)
    context.checkpoint()
    return digest, ref


def _tell(event: Event) -> None:
    if event.what == "start":
        say(f"  {event.stage:<12} running")
    elif event.what == "end":
        say(f"  {event.stage:<12} rebuilt in {event.duration_s:.1f} s")
    elif event.what == "tell":
        say(f"  {event.stage:<12} {event.detail}")


def _show(found: Reproduction) -> None:
    for stage in found.stages:
        emit(f"  {stage.name:<12} {_WORDS[stage.level]}")
        for output in stage.outputs:
            if output.level != "identical":
                emit(f"    {output.path}: {_WORDS[output.level]}; {output.detail}")
    first = found.first_divergent
    if first is None:
        emit(f"identical: {plural(len(found.stages), 'stage')} of {found.commit[:12]} came out bit for bit")
    else:
        emit(f"{_WORDS[found.level]}: {found.commit[:12]}; the first stage that came out otherwise is {first.name}")
        for line in first.changed:
            emit(f"    {line}")
        for line in found.differs:
            emit(f"    {line}")
        if first.level == "canonical":
            emit("    its content is the same: what is written with it differs from run to run")
        elif not (first.changed or found.differs):
            emit(
                "    same inputs, code, packages and machine: the stage is not repeatable; try `determinism:` and seeds"
            )
    if found.network != "closed":
        emit(f"  the network was {'left open' if found.network == 'open' else 'open: this machine cannot close it'}")
