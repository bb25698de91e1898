"""Many comparisons at once: which of them count as found. Pure.

``benjamini_hochberg`` keeps the expected share of false ones among the found under ``q`` (Benjamini and Hochberg 1995;
valid for independent tests and for positively dependent ones, Benjamini and Yekutieli 2001); ``holm`` keeps the chance
of a single false one under ``alpha`` whatever the dependence (Holm 1979).

>>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
[0.04, 0.0533, 0.0533, 0.5]
>>> holm(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
[0.04, 0.09, 0.09, 0.5]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["benjamini_hochberg", "holm"]


def benjamini_hochberg(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values, in the order of ``p``: those at most ``q`` are found at a false discovery rate of ``q``.

    Raises ValueError for a p-value that is not within 0 and 1.
    """
    order = _sorted(p)
    ranks = np.arange(1, len(p) + 1)
    raised = np.minimum.accumulate((p[order] * len(p) / ranks)[::-1])[::-1]
    return _back(np.minimum(raised, 1.0), order)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values, in the order of ``p``: those at most ``alpha`` are found at a family-wise error of ``alpha``.

    Raises ValueError for a p-value that is not within 0 and 1.
    """
    order = _sorted(p)
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _back(np.minimum(raised, 1.0), order)


def _sorted(p: NDArray[np.float64]) -> NDArray[np.intp]:
    if len(p) and not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a p-value lies within 0 and 1")
    return np.argsort(p, kind="stable")


def _back(values: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    result = np.empty_like(values)
    result[order] = values
    return result
