"""Which stages of a run stand behind a file: the one that wrote it, and all that this rests on. Pure.

>>> split = {"inputs": [{"path": "d.csv"}], "outputs": [{"path": "work"}]}
>>> fit = {"inputs": [{"path": "work/train.csv"}], "outputs": [{"path": "m.bin"}]}
>>> sorted(behind({"split": split, "fit": fit, "other": {"inputs": [], "outputs": [{"path": "x"}]}}, ["m.bin"]))
['fit', 'split']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["behind"]


def behind(stages: Mapping[str, Mapping[str, Any]], paths: Iterable[str]) -> set[str]:
    """The names of the stages behind ``paths``; ``stages`` are entries of a run's record by name."""
    writes = {name: [str(item["path"]) for item in entry.get("outputs", ())] for name, entry in stages.items()}
    found: set[str] = set()
    wanted = list(paths)
    while wanted:
        path = wanted.pop()
        for name, outputs in writes.items():
            if name not in found and any(_meet(output, path) for output in outputs):
                found.add(name)
                wanted += [str(item["path"]) for item in stages[name].get("inputs", ())]
    return found


def _meet(one: str, other: str) -> bool:
    """Whether they are the same path, or one holds the other."""
    return one == other or other.startswith(f"{one}/") or one.startswith(f"{other}/")
