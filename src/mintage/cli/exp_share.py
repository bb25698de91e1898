"""``mintage exp push`` and ``pull``: refs through the Git remote, data and records through the project's remote."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mintage.cli.console import emit, emit_json, human_size, plural, progress, say
from mintage.cli.context import Context
from mintage.data.transfer import Need, Transferred, needs_of, transfer
from mintage.database.connection import transaction
from mintage.errors import BlobMissingError, UsageError
from mintage.pipeline.experiment.collection import find, list_experiments
from mintage.pipeline.experiment.experiment import PREFIX, Found
from mintage.pipeline.experiment.sides import locks_at
from mintage.repo.remote import open_remote
from mintage.store.local import Store

__all__ = ["run"]

_AT_ONCE = 200


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    git, to = context.workspace.git, arguments.to
    if to.startswith("-"):
        raise UsageError("not a remote", found=repr(to))
    pushes = arguments.what == "push"
    if pushes:
        known = list_experiments(context.workspace)
        chosen = [find(known, name) for name in arguments.names] or [
            found for found in known if found.experiment.state != "planned"
        ]
        # Data first: whoever sees the ref can bring what it names.
        done = _move(context, chosen, push=True)
        for start in range(0, len(chosen), _AT_ONCE):
            git.run("push", "-q", to, *(f"+{found.ref}:{found.ref}" for found in chosen[start : start + _AT_ONCE]))
    else:
        chosen = _fetch(context, to, arguments.names)
        done = _move(context, chosen, push=False)
    names = [found.experiment.name for found in chosen]
    if arguments.json:
        copied = {"copied": done.copied, "bytes": done.size} if done is not None else None
        emit_json({"experiments": names, "git": to, "data": copied})
        return 0
    said = "pushed" if pushes else "pulled"
    data = f", {plural(done.copied, 'blob')}, {human_size(done.size)}" if done is not None else ""
    emit(f"{said} {plural(len(names), 'experiment')}{data}")
    if done is None and names:
        say("note: the project names no `remote:`, so data and results stay where they are: commits alone were " + said)
    return 0


def _fetch(context: Context, to: str, names: Sequence[str]) -> list[Found]:
    """Bring the refs: all, or those of the names, under whichever base they lie."""
    git = context.workspace.git
    there = [line.partition("\t")[2] for line in git.run("ls-remote", "--refs", to, f"{PREFIX}*").splitlines()]
    wanted = [ref for ref in there if not names or {ref.rpartition("/")[2], ref.removeprefix(PREFIX)} & set(names)]
    for start in range(0, len(wanted), _AT_ONCE):
        git.run("fetch", "-q", "--no-tags", to, *(f"+{ref}:{ref}" for ref in wanted[start : start + _AT_ONCE]))
    found = [each for each in list_experiments(context.workspace) if each.ref in set(wanted)]
    for name in names:
        find(found, name)
    return found


def _move(context: Context, found: Sequence[Found], *, push: bool) -> Transferred | None:
    """Copy what their locks and records name; None if the project names no remote."""
    workspace = context.workspace
    if workspace.project().remote is None or not found:
        return None
    remote, own = open_remote(workspace, home=Path.home(), make=push), Store(workspace.store_dir)
    context.open_audit_log()
    needs: dict[Need, None] = {}
    for each in found:
        needs |= dict.fromkeys(needs_of(locks_at(workspace.git, each.commit).values()))
    source, target = (own, remote) if push else (remote, own)
    with workspace.lock("data"), progress("pushing" if push else "pulling", None) as advance:
        done = transfer(list(needs), source=source, target=target, on_copy=advance)
    with transaction(context.connection):
        details = {"blobs": done.copied, "bytes": done.size, "experiments": len(found)}
        context.record_access("data.push" if push else "data.pull", str(remote.root), details)
    if done.lost:
        raise BlobMissingError(
            f"{plural(len(done.lost), 'blob')} that the experiments name cannot be found",
            found=", ".join(digest[:15] for digest in done.lost[:5]),
            where=str(source.root),
            hint="run the experiments again, or push from where they were run; what was there has been copied",
        )
    return done
