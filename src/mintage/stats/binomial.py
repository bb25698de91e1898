"""Intervals of a share that was counted in independent trials.

>>> clopper_pearson(0, 299).high < 0.0123
True
>>> wilson(5, 10).contains(0.5)
True
"""

from __future__ import annotations

import math

from scipy import special

from mintage.stats.interval import Interval

__all__ = ["clopper_pearson", "wilson"]


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact interval (Clopper and Pearson 1934): never covers less than ``confidence``."""
    _check(hits, trials)
    alpha = 1 - confidence
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, trials - hits + 1, alpha / 2))
    high = 1.0 if hits == trials else float(special.betaincinv(hits + 1, trials - hits, 1 - alpha / 2))
    return Interval(low=low, high=high, confidence=confidence)


def wilson(hits: int, trials: int, confidence: float = 0.95) -> Interval:
    """The score interval (Wilson 1927): covers ``confidence`` on average; for counts that are not small."""
    _check(hits, trials)
    z = float(special.ndtri((1 + confidence) / 2))
    share, square = hits / trials, z * z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = z / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    # at 0 and at all hits the formula's end is exactly 0 or 1 but for rounding
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == trials else middle + half
    return Interval(low=low, high=high, confidence=confidence)


def _check(hits: int, trials: int) -> None:
    if trials < 1 or not 0 <= hits <= trials:
        raise ValueError(f"no share: {hits} of {trials}")
