"""Is a probability what it says? Cox's slope and intercept, and the error in bins of equal size without its noise.

``cox`` fits ``logit P(hit) = intercept + slope * logit(p)``: a slope under 1 says that the probabilities are too
extreme, over 1 too timid (Cox 1958, "Two Further Applications of a Model for Binary Regression"). Its variance is the
sandwich of the scores summed by group. ``equal_bins`` and ``squared_error`` give the calibration error less the part
that a perfect model shows by chance (Kumar, Liang and Ma 2019, "Verified Uncertainty Calibration").

>>> p = np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.8])
>>> fit = cox(np.array([0, 0, 0, 0, 1, 0, 1, 1, 1, 1]), p)
>>> abs(round(fit.slope, 6)), abs(round(fit.intercept, 6))
(1.0, 0.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mintage.stats.interval import Interval

__all__ = ["CoxFit", "cox", "equal_bins", "squared_error"]

_EDGE = 1e-6
_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class CoxFit:
    """The line, the standard errors of its two parts, and how many groups (or rows) they rest on."""

    intercept: float
    slope: float
    intercept_error: float
    slope_error: float
    units: int

    def slope_interval(self, confidence: float) -> Interval:
        """By Student's t with one less than the groups."""
        return self._interval(self.slope, self.slope_error, confidence)

    def intercept_interval(self, confidence: float) -> Interval:
        """The same of the intercept."""
        return self._interval(self.intercept, self.intercept_error, confidence)

    def _interval(self, value: float, error: float, confidence: float) -> Interval:
        reach = float(special.stdtrit(self.units - 1, (1 + confidence) / 2)) * error
        return Interval(low=value - reach, high=value + reach, confidence=confidence)


def cox(hits: NDArray[Any], p: NDArray[np.float64], groups: NDArray[np.intp] | None = None) -> CoxFit | None:
    """The fit by Newton's steps; None where there is none: one class, one answer, answers that tell all rows apart."""
    x = special.logit(np.clip(p, _EDGE, 1 - _EDGE))
    y = np.asarray(hits, dtype=np.float64)
    units = len(y) if groups is None else int(groups.max()) + 1
    if units < 2 or y.min() == y.max() or np.ptp(x) == 0:
        return None
    table = np.column_stack([np.ones(len(y)), x])
    line = np.array([special.logit(y.mean()), 0.0])
    for _ in range(_STEPS):
        fitted = special.expit(table @ line)
        curve = np.einsum("ni,n,nj->ij", table, fitted * (1 - fitted), table)
        if not np.isfinite(curve).all() or np.linalg.cond(curve) > 1e12:
            return None
        step = np.linalg.solve(curve, table.T @ (y - fitted))
        line = line + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            scores = table * (y - fitted)[:, None]
            bread = np.linalg.inv(curve)
            errors = np.sqrt(np.diag(bread @ _spread(scores, groups, units) @ bread))
            return CoxFit(
                intercept=float(line[0]),
                slope=float(line[1]),
                intercept_error=float(errors[0]),
                slope_error=float(errors[1]),
                units=units,
            )
    return None


def _spread(scores: NDArray[np.float64], groups: NDArray[np.intp] | None, units: int) -> NDArray[np.float64]:
    """The squares of the scores, summed by group first."""
    if groups is not None:
        scores = np.column_stack([np.bincount(groups, weights=column, minlength=units) for column in scores.T])
    return np.asarray(scores.T @ scores * units / (units - 1), dtype=np.float64)


def equal_bins(p: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each row: as many rows in each as ties allow."""
    cuts = np.unique(np.quantile(p, np.arange(1, bins) / bins))
    return np.searchsorted(cuts, p, side="right").astype(np.int64)


def squared_error(
    gaps: NDArray[np.float64], shares: NDArray[np.float64], noise: NDArray[np.float64], times: float = 1.0
) -> NDArray[np.float64]:
    """The weighted mean of the squared ``gaps`` [..., bins], less ``times`` the variance that is noise; at least 0."""
    return np.asarray(np.maximum(((np.square(gaps) - times * noise) * shares).sum(axis=-1), 0.0), dtype=np.float64)
