"""``mintage push``: copy what the locks and their records name to the project's remote, so that others can pull it.

The results of the stages that this clone ran are signed and shared by their keys: who trusts them need not run them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json, human_size, plural, progress, say
from mintage.cli.context import Context
from mintage.cli.push_results import push_results
from mintage.data.transfer import Transferred, needs_of, transfer
from mintage.database.connection import transaction
from mintage.errors import BlobMissingError
from mintage.repo.locks import read_locks
from mintage.repo.remote import open_remote
from mintage.store.local import Store

__all__ = ["configure", "run", "summary"]


def configure(parser: argparse.ArgumentParser) -> None:
    """It takes nothing but what every command takes."""


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    remote = open_remote(workspace, home=Path.home(), make=True)
    context.open_audit_log()
    locks = list(read_locks(workspace.root).values())
    with workspace.lock("data"):
        with progress("pushing", None) as advance:
            done = transfer(needs_of(locks), source=Store(workspace.store_dir), target=remote, on_copy=advance)
        published = push_results(context, remote, locks)
    with transaction(context.connection):
        details = {"blobs": done.copied, "bytes": done.size, "results": list(published.new)}
        context.record_access("data.push", str(remote.root), details)
    if done.lost:
        raise BlobMissingError(
            f"{plural(len(done.lost), 'blob')} that the locks or their records name {_are(done.lost)} nowhere",
            found=", ".join(digest[:15] for digest in done.lost[:5]),
            where=str(workspace.store_dir),
            hint="all else was pushed; push from where the data is too, or make it again with `mintage run`",
        )
    if arguments.json:
        emit_json({**summary(remote, done), "shared": list(published.new), "shared_before": list(published.there)})
        return 0
    emit(f"pushed {plural(done.copied, 'blob')}, {human_size(done.size)}, to {remote.root}; {done.there} were there")
    if published.new:
        emit(f"shared the {plural(len(published.new), 'result')} of {', '.join(published.new[:8])}")
    for remark in published.remarks:
        say(remark)
    if done.copied:
        say("Commit and push the locks too: in a clone, `mintage pull` then brings all of it.")
    return 0


def _are(lost: list[str]) -> str:
    return "is" if len(lost) == 1 else "are"


def summary(remote: Store, done: Transferred) -> dict[str, object]:
    """What ``--json`` prints of a transfer."""
    return {"remote": str(remote.root), "copied": done.copied, "bytes": done.size, "there": done.there}
