"""Statistics of sorted rows, as functions of how often each row counts: average precision and the median.

Both sort once, so that thousands of resamples cost one pass each. With each row counted once they are the plain values.

>>> SortedPrecision(np.array([0, 1, 1]), np.array([0.1, 0.4, 0.8])).value(np.ones(3))
1.0
>>> SortedMedian(np.array([3.0, 1.0, 2.0, 10.0])).value(np.ones(4))
2.5
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SortedMedian", "SortedPrecision"]


class SortedPrecision:
    """Average precision: the mean of the precision over the positives, each at its score; equal scores count together.

    The step form, without interpolation (Davis and Goadrich 2006), as scikit-learn has it.
    """

    def __init__(self, y: NDArray[Any], score: NDArray[np.float64]) -> None:
        self._order = np.argsort(-np.asarray(score), kind="stable")
        self._hit = (np.asarray(y)[self._order] == 1).astype(np.float64)
        self._last = np.append(np.flatnonzero(np.diff(np.asarray(score)[self._order])), len(self._order) - 1)

    def value(self, weight: NDArray[np.float64]) -> float:
        """For rows counted ``weight`` times; NaN without a positive."""
        sorted_weight = weight[self._order]
        rows = np.cumsum(sorted_weight)[self._last]
        hits = np.cumsum(sorted_weight * self._hit)[self._last]
        if hits[-1] == 0:
            return math.nan
        precision = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
        # not a BLAS product: its last bits depend on the number of threads
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


class SortedMedian:
    """The median: of an even count the mean of the two in the middle."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self._order = np.argsort(values, kind="stable")
        self._sorted = np.asarray(values, dtype=np.float64)[self._order]

    def value(self, weight: NDArray[np.float64]) -> float:
        """For rows counted ``weight`` times, whole numbers; NaN without any."""
        reached = np.cumsum(weight[self._order])
        total = reached[-1]
        if total == 0:
            return math.nan
        places = np.searchsorted(reached, [(total - 1) // 2, total // 2], side="right")
        return float(self._sorted[places].mean())
