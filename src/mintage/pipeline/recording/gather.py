"""Say many files as few paths: a folder where all of it was meant, else the files. Pure.

A folder stands for its files if every file of it was used and there are more than five of them, or its names were
listed (a script that asks what is there means whatever is there); and, of a folder with more than fifty used files, in
any case, because a list that long is not read. A folder with a file in it that must stay apart never does.

>>> gather({"d/a", "d/b"}, among={"d/a", "d/b", "x"}, listed={"d"}, apart=set())
('d/',)
>>> gather({"d/a", "d/b"}, among={"d/a", "d/b", "x"}, listed=set(), apart=set())
('d/a', 'd/b')
>>> gather({"d/a", "d/b"}, among={"d/a", "d/b", "d/c"}, listed={"d"}, apart=set())
('d/a', 'd/b')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

__all__ = ["gather"]

_FEW, _MANY = 5, 50


def gather(
    paths: Collection[str], *, among: Collection[str], listed: Collection[str], apart: Collection[str]
) -> tuple[str, ...]:
    """``paths`` sorted, with folders (ending in a slash) in place of files; ``among`` are all files that are there."""
    used, there = _counts(paths), _counts(among)
    closed = _counts(apart)
    direct = Counter(path.rpartition("/")[0] for path in paths)
    whole = {folder for folder in used if not closed[folder] and _is_meant(folder, used, there, direct, listed)}
    found = set()
    for path in paths:
        above = next((folder for folder in _above(path) if folder in whole), None)
        found.add(path if above is None else f"{above}/")
    return tuple(sorted(found))


def _is_meant(
    folder: str, used: Counter[str], there: Counter[str], direct: Counter[str], listed: Collection[str]
) -> bool:
    if direct[folder] > _MANY:
        return True
    if used[folder] < there[folder]:
        return False
    return used[folder] > _FEW or (folder in listed and used[folder] > 1)


def _above(path: str) -> Iterator[str]:
    """The folders that hold ``path``, the topmost first."""
    parts = path.split("/")[:-1]
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[:count])


def _counts(paths: Collection[str]) -> Counter[str]:
    return Counter(folder for path in paths for folder in _above(path))
