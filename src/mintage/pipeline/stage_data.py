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

__all__ = ["find_item"]


def find_item(locks: Mapping[str, Lock], path: str) -> Item | None:
    """The file at ``path`` as the locks have it; what a stage wrote comes before what one read or a person added."""
    stages = [lock for lock in locks.values() if lock.what == "stage"]
    items = [item for lock in stages for item in lock.outputs] + [item for lock in stages for item in lock.inputs]
    items += [item for lock in locks.values() if lock.what == "data" for item in lock.outputs]
    return next((item for item in items if item.path == path), None)
