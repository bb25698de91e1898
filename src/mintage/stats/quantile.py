"""Confidence limits of a quantile from order statistics: no assumption on the distribution's shape.

The number of observations at or below the true ``q`` quantile is binomial, so the r-th smallest observation exceeds it
with a probability that is known exactly (David and Nagaraja, "Order Statistics", section 7.1). Observations must be
independent.

>>> upper_rank(1000, 0.99)
996
>>> upper_rank(298, 0.99) is None, upper_rank(299, 0.99)
(True, 299)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["fewest_observations", "lower_limit", "lower_rank", "upper_limit", "upper_rank"]


def upper_rank(n: int, q: float, confidence: float = 0.95) -> int | None:
    """The rank (from 1) of the smallest order statistic that is at least the quantile with ``confidence``.

    None when even the largest of ``n`` observations is not.
    """
    _check(q, confidence)
    if n < 1 or 1 - q**n < confidence:
        return None
    ranks = np.arange(1, n + 1)
    return int(ranks[np.argmax(special.bdtr(ranks - 1, n, q) >= confidence)])


def lower_rank(n: int, q: float, confidence: float = 0.95) -> int | None:
    """The rank of the largest order statistic that is at most the quantile with ``confidence``, or None."""
    mirrored = upper_rank(n, 1 - q, confidence)
    return None if mirrored is None else n + 1 - mirrored


def upper_limit(samples: Sequence[float] | NDArray[Any], q: float, confidence: float = 0.95) -> float:
    """The upper confidence limit of the ``q`` quantile; infinite when there are too few samples."""
    rank = upper_rank(len(samples), q, confidence)
    return math.inf if rank is None else float(np.partition(np.asarray(samples), rank - 1)[rank - 1])


def lower_limit(samples: Sequence[float] | NDArray[Any], q: float, confidence: float = 0.95) -> float:
    """The lower confidence limit of the ``q`` quantile; minus infinity when there are too few samples."""
    rank = lower_rank(len(samples), q, confidence)
    return -math.inf if rank is None else float(np.partition(np.asarray(samples), rank - 1)[rank - 1])


def fewest_observations(q: float, confidence: float = 0.95) -> int:
    """How many observations an upper limit of the ``q`` quantile needs at least."""
    _check(q, confidence)
    return math.ceil(math.log(1 - confidence) / math.log(q))


def _check(q: float, confidence: float) -> None:
    if not (0 < q < 1 and 0 < confidence < 1):
        raise ValueError(f"not a quantile and a confidence: {q}, {confidence}")
