"""Courses over time, ready to be drawn: one frozen value a point, in the order of time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from mintage.stats.groups import GroupedBootstrap, expanded_percentile

__all__ = ["DayPoint", "DriftPoint", "LossPoint", "loss_course", "traffic_course"]


class _Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the points."""


class DriftPoint(_Point, frozen=True, kw_only=True):
    """One stream after one day: log evidence (None: not yet), and the JS distance of the last four weeks."""

    stream: str
    day: str
    log_evidence: float | None
    effect: float


class LossPoint(_Point, frozen=True, kw_only=True):
    """Mean realised loss of one month's (or day's) mature rows, with a 95 % interval where days allow one."""

    period: str
    days: int
    rows: int
    mean: float
    low: float | None
    high: float | None


class DayPoint(_Point, frozen=True, kw_only=True):
    """One day's predictions, how many have labels, whether it is mature, and the mean score and label."""

    day: str
    rows: int
    labelled: int
    mature: bool
    mean_score: float
    mean_label: float | None


def loss_course(
    days: NDArray[np.datetime64], losses: NDArray[np.float64], *, seed: int, draws: int, period: Callable[[str], str]
) -> tuple[LossPoint, ...]:
    """Mean loss by ``period`` of the day (its first seven letters are the month), whole days resampled."""
    names, place = np.unique(np.array([period(str(day)) for day in days], dtype=object), return_inverse=True)
    points = []
    for index, name in enumerate(names):
        rows = place == index
        bootstrap = GroupedBootstrap(days[rows], seed=seed, draws=draws)
        mean = float(losses[rows].mean())
        low = high = None
        if bootstrap.groups >= 3:
            interval = expanded_percentile(bootstrap.means(losses[rows]), mean, groups=bootstrap.groups)
            low, high = interval.low, interval.high
        points.append(
            LossPoint(period=str(name), days=bootstrap.groups, rows=int(rows.sum()), mean=mean, low=low, high=high)
        )
    return tuple(points)


def traffic_course(
    days: NDArray[np.datetime64],
    scores: NDArray[np.float64],
    labels: NDArray[np.float64],
    mature: NDArray[np.bool_],
) -> tuple[DayPoint, ...]:
    """What came on each day; ``mature`` is one flag for each of the distinct days, ascending."""
    names, place = np.unique(days, return_inverse=True)
    size = len(names)
    known = np.isfinite(labels)
    rows, score_sums = np.bincount(place, minlength=size), np.bincount(place, weights=scores, minlength=size)
    labelled = np.bincount(place[known], minlength=size)
    label_sums = np.bincount(place[known], weights=labels[known], minlength=size)
    return tuple(
        DayPoint(
            day=str(day),
            rows=int(rows[i]),
            labelled=int(labelled[i]),
            mature=bool(mature[i]),
            mean_score=float(score_sums[i] / rows[i]),
            mean_label=float(label_sums[i] / labelled[i]) if labelled[i] else None,
        )
        for i, day in enumerate(names)
    )
