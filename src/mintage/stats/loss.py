"""Losses of probability forecasts, row by row: their means are the metrics, their group sums what is resampled.

>>> log_loss_rows(np.array([1, 0]), np.array([0.5, 0.5])).round(4).tolist()
[0.6931, 0.6931]
>>> brier_rows(np.array([1, 0]), np.array([0.8, 0.5])).round(4).tolist()
[0.04, 0.25]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["brier_rows", "log_loss_rows"]

_EPS = float(np.finfo(np.float64).eps)


def log_loss_rows(y: NDArray[np.integer | np.floating], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """``-log`` of the probability given to what happened; ``p`` is kept 2.2e-16 away from 0 and 1."""
    safe = np.clip(p, _EPS, 1.0 - _EPS)
    return -np.where(np.asarray(y) == 1, np.log(safe), np.log1p(-safe))


def brier_rows(y: NDArray[np.integer | np.floating], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of the probability from what happened (Brier 1950, two classes, one term)."""
    return np.square(np.asarray(p, dtype=np.float64) - np.asarray(y, dtype=np.float64))
