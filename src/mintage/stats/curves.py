"""The curves that a report draws: ROC, and calibration with intervals that resample groups.

>>> roc_points(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])).tolist()
[[0.0, 0.0], [0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [1.0, 1.0]]
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mintage.stats.groups import GroupedBootstrap, expanded_percentile, is_reachable
from mintage.stats.interval import Interval

__all__ = ["CalibrationBin", "calibration_bins", "roc_points"]


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of similar scores: mean score, share of positives with its interval (None if too few groups), rows."""

    score: float
    share: float
    interval: Interval | None
    rows: int


def roc_points(y: NDArray[Any], score: NDArray[np.float64], *, most: int = 200) -> NDArray[np.float64]:
    """Points (false positive rate, true positive rate) from (0, 0) to (1, 1), thinned to about ``most``.

    Raises ValueError when there is one class only.
    """
    order = np.argsort(-score, kind="stable")
    hit = np.asarray(y)[order] == 1
    if hit.all() or not hit.any():
        raise ValueError("a ROC curve needs both classes")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    rates = np.column_stack([np.cumsum(~hit)[last] / (~hit).sum(), np.cumsum(hit)[last] / hit.sum()])
    kept = np.unique(np.linspace(0, len(rates) - 1, min(most, len(rates))).round().astype(np.intp))
    return np.vstack([[0.0, 0.0], rates[kept]])


def calibration_bins(
    y: NDArray[Any],
    score: NDArray[np.float64],
    bootstrap: GroupedBootstrap,
    *,
    bins: int = 10,
    confidence: float = 0.95,
) -> list[CalibrationBin]:
    """At most ``bins`` bins of about equally many rows; equal scores share a bin."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, score, side="right")
    result = []
    for number in np.unique(place):
        inside = place == number
        share = float(np.mean(np.asarray(y)[inside]))
        result.append(
            CalibrationBin(
                score=float(score[inside].mean()),
                share=share,
                interval=_interval(y, inside, share, bootstrap, confidence),
                rows=int(inside.sum()),
            )
        )
    return result


def _interval(
    y: NDArray[Any], inside: NDArray[np.bool_], share: float, bootstrap: GroupedBootstrap, confidence: float
) -> Interval | None:
    groups = len(np.unique(bootstrap.index[inside]))
    if not is_reachable(groups, confidence, bootstrap.draws):
        return None
    hit = np.asarray(y) == 1
    hits, rows = (bootstrap.means(mask.astype(np.float64)) for mask in (inside & hit, inside))
    return expanded_percentile(hits[rows > 0] / rows[rows > 0], share, groups, confidence)
