"""``mintage checkout [PATH...]``: bring versioned data and stage outputs back as the locks say, verified."""

from __future__ import annotations

import argparse

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.data.checkout import checkout_item
from mintage.errors import UnknownNameError
from mintage.repo.locks import read_locks
from mintage.repo.nearest import nearest_hint
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="paths or stages (default: all)")
    parser.add_argument("--force", action="store_true", help="overwrite content that the store does not have")


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    locks = [lock for lock in read_locks(workspace.root).values() if lock.what in ("data", "stage")]
    items = {item.path: item for lock in locks for item in lock.outputs}
    wanted = dict(items)
    if arguments.paths:
        by_stage = {lock.name: [item.path for item in lock.outputs] for lock in locks}
        chosen: list[str] = []
        for path in arguments.paths:
            if path not in items and path not in by_stage:
                known = {**items, **by_stage}
                raise UnknownNameError(
                    f"no lock names {path!r}",
                    expected=", ".join(known) or "nothing is versioned yet",
                    hint=nearest_hint(path, known),
                )
            chosen += by_stage.get(path, [path])
        wanted = {path: items[path] for path in chosen}
    store = Store(workspace.store_dir)
    written = []
    with workspace.lock("data"), StatCache(workspace.cache_database) as cache:
        for item in wanted.values():
            if checkout_item(store, item, workspace.root, cache, force=arguments.force):
                written.append(item.path)
    if arguments.json:
        emit_json(written)
        return 0
    for path in written:
        emit(f"restored  {path}")
    if not written:
        say("Everything is as the locks say.")
    return 0
