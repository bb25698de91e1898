"""Where the locks say that a data file of a model is: written by a stage, read by one, or added.

>>> lock = Lock(name="train", what="stage", inputs=(Item(path="data/a.csv", digest="b3:00", size=1),))
>>> find_item({"train": lock}, "data/a.csv").digest
'b3:00'
>>> find_item({"train": lock}, "data/b.csv") is None
True
"""

from __future__ import annotations

from collections.abc import Mapping

from mintage.repo.locks import Item, Lock
from mintage.store.local import Store

__all__ = ["files_of", "find_item"]


def find_item(locks: Mapping[str, Lock], path: str, store: Store | None = None) -> Item | None:
    """The file at ``path`` as the locks have it; what a stage wrote comes before what one read or a person
    added.

    With a ``store``, also a file within a folder that a stage wrote or read.
    """
    stages = [lock for lock in locks.values() if lock.what == "stage"]
    items = [item for lock in stages for item in lock.outputs] + [item for lock in stages for item in lock.inputs]
    items += [item for lock in locks.values() if lock.what == "data" for item in lock.outputs]
    found = next((item for item in items if item.path == path), None)
    if found is not None or store is None:
        return found
    folders = [item for item in items if item.folder and path.startswith(f"{item.path}/") and store.has(item.digest)]
    inside = (member for item in folders for member in files_of(item, store))
    return next((member for member in inside if member.path == path), None)


def files_of(item: Item, store: Store) -> list[Item]:
    """The file itself, or all files of a folder."""
    if not item.folder:
        return [item]
    entries = store.get_tree(item.digest).entries
    return [Item(path=f"{item.path}/{entry.path}", digest=entry.digest, size=entry.size) for entry in entries]
