"""Make a failing row readable: put back ordinary values, one after the other, as long as the row still fails.

Pure: whether rows fail is told by a function, which is asked twice, with many rows each time, because each question
starts a process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["shrink"]

Row = Mapping[str, Any]
Fails = Callable[[list[Row]], "np.ndarray[Any, np.dtype[np.bool_]]"]


def shrink(row: Row, ordinary: Row, fails: Fails) -> dict[str, Any]:
    """``row`` with as many values of ``ordinary`` as two rounds allow, still failing.

    >>> shrink({"a": 9, "b": 5, "c": 7}, {"a": 0, "b": 0, "c": 0},
    ...        lambda rows: np.array([row["a"] == 9 for row in rows]))
    {'a': 9, 'b': 0, 'c': 0}
    """
    names = [name for name in row if not _same(row[name], ordinary[name])]
    alone = fails([{**row, name: ordinary[name]} for name in names])
    free = [name for name, failed in zip(names, alone.tolist(), strict=True) if failed]
    tries: list[Row] = [{**row, **{name: ordinary[name] for name in free[: size + 1]}} for size in range(len(free))]
    still = fails(tries) if tries else np.zeros(0, dtype=bool)
    best = max((place for place, failed in enumerate(still.tolist()) if failed), default=None)
    return dict(row if best is None else tries[best])


def _same(one: Any, other: Any) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and np.isnan(one) and np.isnan(other)
    return bool(both_nan or (type(one) is type(other) and one == other))
