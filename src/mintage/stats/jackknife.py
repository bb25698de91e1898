"""The interval of a ratio of two counts of different things, from leaving out one group at a time.

Counts of different things (cells, words, species) cannot be resampled: a resample has fewer of them. Leaving out a
group takes away what no other group has. The variance so found is at least the true one on average, for any statistic
that does not depend on the order of the groups (Efron and Stein 1981, "The Jackknife Estimate of Variance").

>>> found = ratio_interval(3, 60, np.array([1, 0, 1, 0, 0, 1]), np.array([2, 3, 2, 1, 2, 2]), confidence=0.95)
>>> round(found.low, 3), round(found.high, 3)
(0.0, 0.139)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from mintage.stats.binomial import clopper_pearson
from mintage.stats.interval import Interval

__all__ = ["ratio_interval"]

Counts = NDArray[np.intp]


def ratio_interval(part: int, whole: int, part_alone: Counts, whole_alone: Counts, *, confidence: float) -> Interval:
    """The interval of ``part / whole``, of which the groups alone have ``part_alone`` and ``whole_alone``: Student's
    with the jackknife's variance, at least as wide as Clopper and Pearson's. Needs two groups."""
    groups = len(part_alone)
    rest = whole - whole_alone
    left = np.divide(part - part_alone, rest, out=np.zeros(groups), where=rest > 0)
    error = float(np.sqrt((groups - 1) / groups * np.square(left - left.mean()).sum()))
    reach = float(t.ppf((1 + confidence) / 2, groups - 1)) * error
    exact, ratio = clopper_pearson(part, whole, confidence), part / whole
    low, high = min(ratio - reach, exact.low), max(ratio + reach, exact.high)
    return Interval(low=max(low, 0.0), high=min(high, 1.0), confidence=confidence)
