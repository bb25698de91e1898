"""``mintage checkout [PATH...]``: bring versioned data and stage outputs back as the locks say, verified.

``--rev REV`` takes them as they were at another revision, also one from before the import of a DVC project.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from mintage.cli.console import emit, emit_json, say
from mintage.cli.context import Context
from mintage.data.at_revision import versioned_at
from mintage.data.checkout import checkout_item
from mintage.errors import UnknownNameError
from mintage.repo.locks import Item, read_locks
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="PATH", help="paths or stages (default: all)")
    parser.add_argument("--rev", metavar="REV", help="take them as they were at this revision")
    parser.add_argument("--force", action="store_true", help="overwrite content that the store does not have")


def run(arguments: argparse.Namespace) -> int:
    workspace = Context.here().workspace
    store = Store(workspace.store_dir)
    if arguments.rev:
        wanted = _wanted_at(workspace, store, arguments.rev, arguments.paths)
    else:
        wanted = _wanted(workspace, arguments.paths)
    written = []
    with workspace.lock("data"), StatCache(workspace.cache_database) as cache:
        for item in wanted:
            if checkout_item(store, item, workspace.root, cache, force=arguments.force):
                written.append(item.path)
    if arguments.json:
        emit_json(written)
        return 0
    for path in written:
        emit(f"restored  {path}")
    if not written:
        say(f"Everything is as at {arguments.rev}." if arguments.rev else "Everything is as the locks say.")
    return 0


def _wanted(workspace: Workspace, paths: Sequence[str]) -> list[Item]:
    locks = [lock for lock in read_locks(workspace.root).values() if lock.what in ("data", "stage")]
    items = {item.path: item for lock in locks for item in lock.outputs}
    if not paths:
        return list(items.values())
    by_stage = {lock.name: [item.path for item in lock.outputs] for lock in locks}
    chosen: dict[str, Item] = {}
    for path in paths:
        if path not in items and path not in by_stage:
            raise _unknown(path, {**items, **by_stage})
        chosen |= {name: items[name] for name in by_stage.get(path, [path])}
    return list(chosen.values())


def _wanted_at(workspace: Workspace, store: Store, revision: str, paths: Sequence[str]) -> list[Item]:
    versioned = versioned_at(workspace, store, revision)
    if not paths:
        for path, reason in versioned.lost.items():
            say(f"left out: {path}: {reason}")
        return list(versioned.items.values())
    chosen = []
    for path in paths:
        item = versioned.item(path, store)
        if item is None:
            raise _unknown(path, versioned.items, revision=revision)
        chosen.append(item)
    return chosen


def _unknown(path: str, known: Mapping[str, object], *, revision: str | None = None) -> UnknownNameError:
    otherwise = f"if Git has it: `git checkout {revision} -- {path}`" if revision else "see `mintage status`"
    return UnknownNameError(
        f"no lock names {path!r}" + (f" at {revision}" if revision else ""),
        expected=", ".join(known) or "nothing is versioned yet",
        hint=nearest_hint(path, known, otherwise=otherwise),
    )
