"""``status`` of versioned data: what differs between the work tree, the locks and the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mintage.repo.locks import Lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["DataState", "data_states"]


@dataclass(frozen=True, kw_only=True)
class DataState:
    """One versioned path: ``ok``, ``modified`` since it was added, ``missing`` here but stored, or ``lost``."""

    path: str
    state: Literal["ok", "modified", "missing", "lost"]


def data_states(workspace: Workspace, locks: dict[str, Lock], cache: StatCache) -> list[DataState]:
    """The state of every added path, in the order of the locks."""
    store = Store(workspace.store_dir)
    found = []
    for lock in locks.values():
        if lock.what != "data":
            continue
        for item in lock.outputs:
            path = workspace.root / item.path
            if path.exists():
                state: Literal["ok", "modified", "missing", "lost"] = (
                    "ok" if cache.digest(path)[0] == item.digest else "modified"
                )
            else:
                state = "missing" if store.has(item.digest) else "lost"
            found.append(DataState(path=item.path, state=state))
    return found
