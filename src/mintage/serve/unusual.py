"""Which rows have a value that a model takes although it is out of its range or not a known category.

The runtime counts such values (``Prediction.flags``); this says where they are and what was usual.

>>> from mintage.model.signature import Input
>>> age = Input(name="age", datatype="FP64", range=(18.0, None))
>>> unusual_rows(age, np.array([17.0, 18.0, np.nan])).tolist(), usual(age)
([True, False, False], '18 or more')
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.model.signature import Input

__all__ = ["unusual_rows", "usual"]

_SHOWN = 12


def unusual_rows(item: Input, column: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """A mask of the rows; ``column`` is float64 with NaN for missing, or objects of str or None."""
    if item.datatype == "BYTES":
        if item.categories is None:
            return np.zeros(len(column), dtype=bool)
        known = {None, *map(str, item.categories)}
        return np.array([value not in known for value in column.tolist()], dtype=bool)
    low, high = item.range or (None, None)
    found = np.zeros(len(column), dtype=bool)
    if low is not None:
        found |= column < low
    if high is not None:
        found |= column > high
    if item.categories is not None:
        found |= ~np.isin(column, [float(value) for value in item.categories]) & ~np.isnan(column)
    return found


def usual(item: Input) -> str:
    """What is usual, in words; empty if all is."""
    parts = []
    low, high = (None if end is None else f"{end:g}" for end in item.range or (None, None))
    if low is not None or high is not None:
        parts.append(f"{low} or more" if high is None else f"{high} or less" if low is None else f"{low} to {high}")
    if item.categories is not None:
        shown = ", ".join(map(_plain, item.categories[:_SHOWN]))
        rest = len(item.categories) - _SHOWN
        parts.append(f"one of {shown}" + (f" and {rest} more" if rest > 0 else ""))
    return ", ".join(parts)


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
