"""``mintage pull``: bring what the locks and their records name from the project's remote, and put it in place.

Data and results lie in the work tree afterwards as the locks say, models where `mintage run` builds them, so that in
a clone a run has nothing to do. What was changed here and is nowhere else is never overwritten without ``--force``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mintage.cli.console import emit, emit_json, human_size, plural, progress
from mintage.cli.context import Context
from mintage.cli.push import summary
from mintage.cli.run_lock import run_lock
from mintage.data.checkout import checkout_item
from mintage.data.transfer import needs_of, transfer
from mintage.database.connection import transaction
from mintage.errors import BlobMissingError
from mintage.pipeline.model_folder import model_folder
from mintage.repo.locks import Item, Lock, read_locks
from mintage.repo.remote import open_remote
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="overwrite content that the store does not have")


def run(arguments: argparse.Namespace) -> int:
    context = Context.here()
    workspace = context.workspace
    remote = open_remote(workspace, home=Path.home(), make=False)
    context.open_audit_log()
    locks = list(read_locks(workspace.root).values())
    store = Store(workspace.store_dir)
    with run_lock(workspace, "mintage pull"), workspace.lock("data"):
        with progress("pulling", None) as advance:
            done = transfer(needs_of(locks), source=remote, target=store, on_copy=advance)
        with transaction(context.connection):
            context.record_access("data.pull", str(remote.root), {"blobs": done.copied, "bytes": done.size})
        if done.lost:
            raise BlobMissingError(
                f"the remote lacks {plural(len(done.lost), 'blob')} that the locks or their records name",
                found=", ".join(_named(locks, digest) for digest in done.lost[:5]),
                where=str(remote.root),
                hint="`mintage push` from where they were made; what was there has come, and nothing was put in place",
            )
        placed = _place(workspace, store, locks, force=arguments.force)
    if arguments.json:
        emit_json({**summary(remote, done), "placed": placed})
        return 0
    emit(f"pulled {plural(done.copied, 'blob')}, {human_size(done.size)}, from {remote.root}; {done.there} were here")
    for path in placed:
        emit(f"  placed {path}")
    return 0


def _place(workspace: Workspace, store: Store, locks: list[Lock], *, force: bool) -> list[str]:
    """Put outputs and data in place as the locks say, inputs that are not there, and models; returns what changed."""
    made = [item for lock in locks if lock.what in ("data", "stage") for item in lock.outputs]
    paths = {item.path for item in made}
    read = [item for lock in locks for item in lock.inputs if item.path not in paths]
    missing = {item.path: item for item in read if not (workspace.root / item.path).exists()}
    placed = []
    with StatCache(workspace.cache_database) as cache:
        for item in (*made, *missing.values()):
            if checkout_item(store, item, workspace.root, cache, force=force):
                placed.append(item.path)
    for lock in locks:
        if lock.what == "model" and lock.root is not None and lock.outputs:
            folder = model_folder(workspace, lock.name.partition(":")[2], lock.root)
            if not folder.is_dir():
                store.verify_tree(lock.outputs[0].digest)
                store.checkout_tree(lock.outputs[0].digest, folder)
                placed.append(lock.name)
    return placed


def _named(locks: list[Lock], digest: str) -> str:
    """The path under which a lock has a digest, else the digest."""
    items: list[Item] = [item for lock in locks for item in (*lock.inputs, *lock.outputs)]
    return next((item.path for item in items if item.digest == digest), digest[:15])
