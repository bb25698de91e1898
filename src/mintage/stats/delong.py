"""The standard error of an AUC, and of the difference of two on the same rows, in closed form.

DeLong, DeLong and Clarke-Pearson (1988) with the midranks of Sun and Xu (2014): a sort instead of thousands of
resamples. Rows that belong together are summed before they are squared (Obuchowski 1997), so a day's flights count as
one observation. The interval is on the logit scale, where it stays within 0 and 1.

>>> y = np.array([0, 0, 0, 1, 1, 1])
>>> variances(y, [np.array([0.1, 0.4, 0.3, 0.35, 0.8, 0.9])]).covariance.round(4).tolist()
[[0.0247]]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mintage.stats.interval import Interval

__all__ = [
    "AucVariances",
    "auc_interval",
    "difference_interval",
    "gap_interval",
    "macro_variances",
    "variances",
]


@dataclass(frozen=True, kw_only=True)
class AucVariances:
    """AUCs of k scores of the same rows [k] and their covariance [k, k]; ``units`` is the smaller number of groups (or
    rows) that hold a positive, or a negative."""

    aucs: NDArray[np.float64]
    covariance: NDArray[np.float64]
    units: int


def variances(
    y: NDArray[Any], scores: Sequence[NDArray[np.float64]], groups: NDArray[np.intp] | None = None
) -> AucVariances:
    """AUCs and their covariance; ``groups`` are codes of the rows' groups from 0 on, None says independent rows.

    NaN throughout if a class is missing, and for the covariance if fewer than two units hold one of the classes.
    """
    positive = np.asarray(y) == 1
    return _joined([_units(positive, np.asarray(score, dtype=np.float64), groups) for score in scores])


def macro_variances(
    y: NDArray[Any], scores: Sequence[NDArray[np.float64]], groups: NDArray[np.intp] | None = None
) -> AucVariances:
    """As ``variances``, of the mean over classes of the AUC of each against the rest.

    ``y`` are places of classes, each of ``scores`` is [N, K]. The deviations of a unit are averaged over the classes
    before they are squared, so what the classes have in common is counted once.
    """
    labels = np.asarray(y)
    found = []
    for score in scores:
        each = [_units(labels == place, score[:, place], groups) for place in range(score.shape[1])]
        sums = np.mean([one.sums for one in each], axis=0)
        found.append(_Units(float(np.mean([one.auc for one in each])), sums, min(one.units for one in each)))
    return _joined(found)


@dataclass(frozen=True)
class _Units:
    """An AUC and the deviation that each unit brings: the squares of these add up to its variance."""

    auc: float
    sums: NDArray[np.float64]
    units: int


def _units(positive: NDArray[np.bool_], score: NDArray[np.float64], groups: NDArray[np.intp] | None) -> _Units:
    hits, misses = int(positive.sum()), int((~positive).sum())
    codes = np.arange(len(positive)) if groups is None else np.asarray(groups)
    total = int(codes.max()) + 1
    nothing = np.full(total, np.nan)
    if not hits or not misses:
        return _Units(math.nan, nothing, 0)
    over, under = _placements(score, positive)
    units = min(len(np.unique(codes[positive])), len(np.unique(codes[~positive])))
    if units < 2:
        return _Units(float(over.mean()), nothing, units)
    # each unit's contribution: its positives' and its negatives' deviations, as shares of their class
    sums = _grouped(codes[positive], over - over.mean(), total, scale=_spread(codes[positive]) / hits) + _grouped(
        codes[~positive], under - under.mean(), total, scale=_spread(codes[~positive]) / misses
    )
    return _Units(float(over.mean()), sums, units)


def _joined(found: Sequence[_Units]) -> AucVariances:
    sums = np.stack([one.sums for one in found])
    return AucVariances(
        aucs=np.array([one.auc for one in found]),
        covariance=np.einsum("ig,jg->ij", sums, sums),
        units=min(one.units for one in found),
    )


def auc_interval(found: AucVariances, which: int = 0, *, confidence: float = 0.95) -> Interval | None:
    """The interval of one AUC; None where it has no variance. With AUC 0 or 1 it is Clopper and Pearson's for as many
    trials as there are units, for a sample without a single error says nothing of its spread."""
    value, variance = float(found.aucs[which]), float(found.covariance[which, which])
    if math.isnan(value) or math.isnan(variance):
        return None
    quantile = _quantile(found.units, confidence)
    if value in (0.0, 1.0) or variance <= 0:
        far = (1 - confidence) / 2
        reach = 1 - far ** (1 / found.units)
        return Interval(low=max(0.0, value - reach), high=min(1.0, value + reach), confidence=confidence)
    middle = math.log(value / (1 - value))
    half = quantile * math.sqrt(variance) / (value * (1 - value))
    return Interval(
        low=float(special.expit(middle - half)), high=float(special.expit(middle + half)), confidence=confidence
    )


def difference_interval(found: AucVariances, *, confidence: float = 0.95) -> Interval | None:
    """The interval of the first AUC less the second; None where it has no variance."""
    weights = np.array([1.0, -1.0])
    variance = float(weights @ found.covariance[:2, :2] @ weights)
    if math.isnan(variance):
        return None
    value = float(found.aucs[0] - found.aucs[1])
    half = _quantile(found.units, confidence) * math.sqrt(max(variance, 0.0))
    return Interval(low=value - half, high=value + half, confidence=confidence)


def gap_interval(one: AucVariances, other: AucVariances, *, confidence: float = 0.95) -> Interval | None:
    """The interval of the AUC of one sample less that of another, independent one; None where it has no variance."""
    variance = float(one.covariance[0, 0] + other.covariance[0, 0])
    if math.isnan(variance):
        return None
    value = float(one.aucs[0] - other.aucs[0])
    half = _quantile(min(one.units, other.units), confidence) * math.sqrt(max(variance, 0.0))
    return Interval(low=value - half, high=value + half, confidence=confidence)


def _placements(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[NDArray[np.float64], ...]:
    """Of each positive the share of negatives below it, of each negative the share of positives above; ties half."""
    high, low = score[positive], score[~positive]
    sorted_high, sorted_low = np.sort(high), np.sort(low)
    over = (np.searchsorted(sorted_low, high, "left") + np.searchsorted(sorted_low, high, "right")) / (2 * len(low))
    under = (np.searchsorted(sorted_high, low, "left") + np.searchsorted(sorted_high, low, "right")) / (2 * len(high))
    return over, 1 - under


def _grouped(codes: NDArray[np.intp], values: NDArray[np.float64], total: int, *, scale: float) -> NDArray[np.float64]:
    return np.asarray(np.bincount(codes, weights=values, minlength=total) * scale, dtype=np.float64)


def _spread(codes: NDArray[np.intp]) -> float:
    """The correction for a mean that was estimated from the same units."""
    units = len(np.unique(codes))
    return math.sqrt(units / (units - 1))


def _quantile(units: int, confidence: float) -> float:
    return float(special.stdtrit(units - 1, (1 + confidence) / 2))
