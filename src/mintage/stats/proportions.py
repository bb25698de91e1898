"""The difference of two shares that were counted in independent samples.

>>> newcombe(56, 70, 48, 80).contains(0.2)
True
"""

from __future__ import annotations

import math

from mintage.stats.binomial import wilson
from mintage.stats.interval import Interval

__all__ = ["newcombe"]


def newcombe(hits: int, trials: int, other_hits: int, other_trials: int, confidence: float = 0.95) -> Interval:
    """The interval of the first share less the second, from the score intervals of both (Newcombe 1998, "Interval
    estimation for the difference between independent proportions", method 10)."""
    one, other = wilson(hits, trials, confidence), wilson(other_hits, other_trials, confidence)
    share, less = hits / trials, other_hits / other_trials
    below = math.hypot(share - one.low, other.high - less)
    above = math.hypot(one.high - share, less - other.low)
    return Interval(low=share - less - below, high=share - less + above, confidence=confidence)
