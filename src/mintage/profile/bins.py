"""Bins that are frozen once: quantile edges of numbers, and the place of a value among bins.

With k edges there are k + 2 bins for numbers: under, k - 1 intervals, over, null; with k categories there are k + 2
for text: each category, other, null.

>>> bin_numbers((0.0, 1.0, 2.0), np.array([-1.0, 0.0, 1.0, 1.5, 9.0, np.nan])).tolist()
[0, 1, 1, 2, 3, 4]
>>> bin_text(("a", "b"), np.array(["b", "z", None], dtype=object)).tolist()
[1, 2, 3]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["MAX_CATEGORIES", "bin_numbers", "bin_text", "quantile_edges"]

INTERVALS = 20
MAX_CATEGORIES = 256


def quantile_edges(values: np.ndarray[Any, Any]) -> tuple[float, ...]:
    """At most 21 ascending edges, from the least to the greatest finite value; each edge is a value that occurs.

    A column of one value gets a second edge just above it (below it for the greatest float), so that there is always
    one interval; a column without any finite value gets 0 and 1.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return (0.0, 1.0)
    levels = np.linspace(0.0, 1.0, INTERVALS + 1)
    edges = np.unique(np.quantile(known, levels, method="inverted_cdf")) + 0.0  # -0.0 becomes 0.0
    if len(edges) == 1:
        only = float(edges[0])
        above = math.nextafter(only, math.inf)
        edges = np.array([only, above] if math.isfinite(above) else [math.nextafter(only, 0.0), only])
    return tuple(edges.tolist())


def bin_numbers(edges: Sequence[float], values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The bin of each number; NaN is null, infinities are under and over."""
    place = np.searchsorted(np.asarray(edges), values, side="left").astype(np.int64)
    place[values == edges[0]] = 1
    place[np.isnan(values)] = len(edges) + 1
    return place


def bin_text(categories: Sequence[str], values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The bin of each text; None is null."""
    places: dict[str | None, int] = {value: place for place, value in enumerate(categories)}
    places[None] = len(categories) + 1
    other = len(categories)
    return np.fromiter((places.get(value, other) for value in values.tolist()), dtype=np.int64, count=len(values))
