"""The population stability index of two samples over levels, with an interval from resampled counts.

PSI is the sum of (p - q) ln(p / q) over levels: how far two distributions are apart, 0 for equal ones. Counted on
samples it is too large, and on resamples of them by as much again: the percentiles of the resamples are taken back by
both. In simulations (600 and 300 rows, PSI 0.10 and 0.43) each end misses in 1 to 5 % of samples where 2.5 % is
nominal; reversed percentiles let the high end miss in 8 %. Half a row is added to each level.

>>> rng = np.random.default_rng(0)
>>> drawn = rng.multinomial(1000, [0.5, 0.5], 999), rng.multinomial(1000, [0.7, 0.3], 999)
>>> found = stability(np.array([500, 500]), np.array([700, 300]), *drawn, units=1000, confidence=0.95)
>>> [round(value, 2) for value in (found.interval.low, found.estimate, found.interval.high)]
[0.1, 0.17, 0.24]
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mintage.stats.groups import expanded_percentile
from mintage.stats.interval import Interval

__all__ = ["Stability", "psi", "stability"]


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """The index, less what chance adds to it, and its interval."""

    estimate: float
    interval: Interval


def psi(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """The index of counts [..., levels]."""
    shares = []
    for counts in (one, other):
        raised = counts + 0.5
        shares.append(raised / raised.sum(axis=-1, keepdims=True))
    p, q = shares
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def stability(
    one: NDArray[Any],
    other: NDArray[Any],
    one_drawn: NDArray[Any],
    other_drawn: NDArray[Any],
    *,
    units: int,
    confidence: float,
) -> Stability:
    """The index of two vectors of counts; ``one_drawn`` and ``other_drawn`` [draws, levels] are counts of resamples of
    each, ``units`` the fewer of the rows or groups resampled."""
    found, drawn = float(psi(one, other)), psi(one_drawn, other_drawn)
    chance = float(drawn.mean()) - found
    estimate = max(0.0, found - chance)
    interval = expanded_percentile(np.maximum(0.0, drawn - 2 * chance), estimate, units, confidence)
    return Stability(estimate=estimate, interval=interval)
