"""Losses of forecasts, row by row: their means are the metrics, their group sums what is resampled.

>>> log_loss_rows(np.array([1, 0]), np.array([0.5, 0.5])).round(4).tolist()
[0.6931, 0.6931]
>>> brier_rows(np.array([1, 0]), np.array([0.8, 0.5])).round(4).tolist()
[0.04, 0.25]
>>> class_log_loss_rows(np.array([2]), np.array([[0.25, 0.25, 0.5]])).round(4).tolist()
[0.6931]
>>> pinball_rows(np.array([10.0, 10.0]), np.array([8.0, 12.0]), 0.9).round(4).tolist()
[1.8, 0.2]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["brier_rows", "class_log_loss_rows", "log_loss_rows", "pinball_rows"]

_EPS = float(np.finfo(np.float64).eps)


def log_loss_rows(y: NDArray[np.integer | np.floating], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """``-log`` of the probability given to what happened; ``p`` is kept 2.2e-16 away from 0 and 1."""
    safe = np.clip(p, _EPS, 1.0 - _EPS)
    return -np.where(np.asarray(y) == 1, np.log(safe), np.log1p(-safe))


def brier_rows(y: NDArray[np.integer | np.floating], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of the probability from what happened (Brier 1950, two classes, one term)."""
    return np.square(np.asarray(p, dtype=np.float64) - np.asarray(y, dtype=np.float64))


def class_log_loss_rows(y: NDArray[np.integer], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """``-log`` of the probability [N, K] given to the class ``y`` that happened, kept away from 0 and 1 as above."""
    chosen = np.take_along_axis(p, np.asarray(y, dtype=np.int64)[:, None], axis=1)[:, 0]
    return np.asarray(-np.log(np.clip(chosen, _EPS, 1.0 - _EPS)), dtype=np.float64)


def pinball_rows(y: NDArray[np.floating], q: NDArray[np.float64], quantile: float) -> NDArray[np.float64]:
    """The loss whose least mean is at the ``quantile`` of what happens (Koenker and Bassett 1978)."""
    above = np.asarray(y, dtype=np.float64) - q
    return np.where(above >= 0, quantile * above, (quantile - 1) * above)
