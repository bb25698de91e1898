"""Where recorded bytes come from: the clone's store, then the project's remote; with ``independent`` that alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from mintage.data.checkout import place
from mintage.data.transfer import Need, transfer
from mintage.errors import BlobMissingError, MintageError
from mintage.repo.locks import Item, Lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["Sources", "outside_items"]


class Sources:
    """Stores that are asked one after the other; every byte is verified."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self._stores = stores

    def read(self, digest: str) -> bytes | None:
        """The blob; None if no store has it whole."""
        for store in self._stores:
            with contextlib.suppress(MintageError):
                return store.get_bytes(digest)
        return None

    def files(self, item: Item) -> dict[str, str] | None:
        """The files of an item, by path below it (empty for a file itself); None if its manifest is nowhere."""
        if not item.folder:
            return {"": item.digest}
        for store in self._stores:
            with contextlib.suppress(MintageError):
                return {entry.path: entry.digest for entry in store.get_tree(item.digest).entries}
        return None

    def body(self, record: str | None) -> dict[str, Any]:
        """The body of a record; empty if no store has it."""
        for store in self._stores if record is not None else ():
            with contextlib.suppress(MintageError):
                return dict(store.get_record(record).body) if record is not None else {}
        return {}

    def json(self, digest: str | None) -> dict[str, Any] | None:
        """A blob that is one JSON object; None if no store has it, or it is something else."""
        data = self.read(digest) if digest is not None else None
        try:
            return None if data is None else msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.MsgspecError:
            return None

    def bring(self, items: Iterable[Item], tree: Workspace) -> int:
        """Put items that the tree lacks into its own store and in place; returns their size in bytes.

        Raises BlobMissingError naming those that no store has.
        """
        target, size = Store(tree.store_dir), 0
        lost: list[Item] = []
        with StatCache(tree.cache_database) as cache:
            for item in items:
                path = tree.root / item.path
                if path.is_file() or (path.exists() and cache.digest(path)[0] == item.digest):
                    continue  # the commit has it, whatever the lock says; of a folder it may have a part only
                need = Need(item.digest, "folder" if item.folder else "bytes")
                for store in self._stores:
                    if not transfer([need], source=store, target=target).lost:
                        path.parent.mkdir(parents=True, exist_ok=True)
                        place(target, item, path)
                        size += item.size
                        break
                else:
                    lost.append(item)
        if lost:
            raise BlobMissingError(
                f"{len(lost)} recorded inputs are in no store: the revision cannot be rebuilt",
                expected=", ".join(item.path for item in lost[:5]),
                found=", ".join(str(store.root) for store in self._stores),
                hint="`mintage push` from where they are; a reproduction starts from stored bytes alone",
            )
        return size


def outside_items(locks: Iterable[Lock]) -> list[Item]:
    """What stages read and no stage made, and data that was added, each path once."""
    known = list(locks)
    made = [item.path for lock in known if lock.what == "stage" for item in lock.outputs]
    added = [item for lock in known if lock.what in ("data", "import") for item in lock.outputs]
    read = [item for lock in known if lock.what == "stage" for item in lock.inputs]
    found: dict[str, Item] = {}
    for item in (*read, *added):
        inside = any(item.path == path or item.path.startswith(f"{path}/") for path in made)
        holds = any(path.startswith(f"{item.path}/") for path in made)
        if not inside and not holds:
            found.setdefault(item.path, item)
    return list(found.values())
