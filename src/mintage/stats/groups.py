"""Resample groups, not rows: a day's flights or a customer's claims stand or fall together.

``GroupedBootstrap`` draws as many groups as there are, with replacement, again and again: each draw is a row of weights
(how often each group was drawn). ``expanded_percentile`` turns the statistic of the draws into an interval whose level
is right for few groups too (Hesterberg 2014, "What Teachers Should Know about the Bootstrap", section 4.1: percentiles
at ``Phi(-sqrt(G/(G-1)) t(G-1))`` instead of 0.025). Row-by-row intervals on grouped data are 3 to 10 times too narrow.

>>> days = np.repeat(np.arange(8), 50)
>>> loss = np.repeat(np.linspace(0.1, 0.8, 8), 50)
>>> bootstrap = GroupedBootstrap(days, seed=1, draws=4000)
>>> interval = expanded_percentile(bootstrap.means(loss), float(loss.mean()), groups=bootstrap.groups)
>>> (round(interval.low, 1), round(interval.high, 1))
(0.2, 0.7)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mintage.stats.auc import GroupedAuc
from mintage.stats.interval import Interval

__all__ = ["GroupedBootstrap", "expanded_level", "expanded_percentile", "fewest_groups", "is_reachable"]

_CHUNK = 1 << 21


class GroupedBootstrap:
    """Multinomial weights over the groups of a sample."""

    def __init__(self, groups_of_rows: NDArray[Any], *, seed: int | np.random.SeedSequence, draws: int) -> None:
        self.names, inverse = np.unique(groups_of_rows, return_inverse=True)
        self.index: NDArray[np.intp] = inverse.reshape(-1)
        self.groups = len(self.names)
        self.draws = draws
        self._seed = seed

    @classmethod
    def of_rows(cls, rows: int, *, seed: int | np.random.SeedSequence, draws: int) -> GroupedBootstrap:
        """The bootstrap of independent rows."""
        return cls(np.arange(rows), seed=seed, draws=draws)

    def chunks(self) -> Iterator[NDArray[np.float64]]:
        """The weights [some draws, groups], all draws in turn; the same each time it is called."""
        rng = np.random.default_rng(self._seed)
        size = max(1, _CHUNK // max(self.groups, 1))
        for start in range(0, self.draws, size):
            count = min(size, self.draws - start)
            drawn = rng.integers(0, self.groups, (count, self.groups)) + self.groups * np.arange(count)[:, None]
            weights = np.bincount(drawn.reshape(-1), minlength=count * self.groups)
            yield weights.reshape(count, self.groups).astype(np.float64)

    def weights(self) -> NDArray[np.float64]:
        """All weights at once [draws, groups]; for many groups prefer ``chunks``."""
        return np.concatenate(list(self.chunks()))

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of the rows' ``values`` in each draw: group sums over group sizes."""
        sums = np.bincount(self.index, weights=values, minlength=self.groups)
        sizes = np.bincount(self.index, minlength=self.groups)
        # einsum's own loop, not BLAS: its result does not depend on the number of threads
        return np.concatenate(
            [np.einsum("dg,g->d", w, sums) / np.einsum("dg,g->d", w, sizes.astype(np.float64)) for w in self.chunks()]
        )

    def mean_columns(self, columns: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """``means`` of several columns, to the same bits, with one pass over the draws."""
        sums = [np.bincount(self.index, weights=column, minlength=self.groups) for column in columns]
        sizes = np.bincount(self.index, minlength=self.groups).astype(np.float64)
        parts: list[list[NDArray[np.float64]]] = [[] for _ in columns]
        for weights in self.chunks():
            counts = np.einsum("dg,g->d", weights, sizes)
            for part, total in zip(parts, sums, strict=True):
                part.append(np.einsum("dg,g->d", weights, total) / counts)
        return [np.concatenate(part) for part in parts]

    def each(self, statistic: Callable[[NDArray[np.float64]], float]) -> NDArray[np.float64]:
        """Any statistic in each draw, given how often each row was drawn."""
        return np.array([statistic(row[self.index]) for weights in self.chunks() for row in weights])

    def aucs(self, y: NDArray[Any], score: NDArray[np.float64]) -> NDArray[np.float64]:
        """The AUC in each draw; NaN where a draw holds one class only."""
        ranked = GroupedAuc(y, score, self.index, self.groups)
        return np.concatenate([ranked.values(weights) for weights in self.chunks()])


def expanded_level(groups: int, confidence: float) -> float:
    """The lower of the two quantile levels of an expanded percentile interval."""
    if groups < 2:
        return 0.0
    t = special.stdtrit(groups - 1, (1 + confidence) / 2)
    return float(special.ndtr(-math.sqrt(groups / (groups - 1)) * t))


def is_reachable(groups: int, confidence: float, draws: int) -> bool:
    """Whether ``draws`` resamples of ``groups`` groups can show the level that the interval needs.

    The level must lie inside the resampling distribution, beyond its single most extreme resample (probability
    ``groups ** -groups``), and at least one draw must be expected outside it.
    """
    level = expanded_level(groups, confidence)
    return groups >= 2 and level > math.exp(-groups * math.log(groups)) and level * draws >= 1


def fewest_groups(confidence: float, draws: int) -> int | None:
    """The least number of groups for which an interval ``is_reachable``; None if more draws are needed first."""
    return next((groups for groups in range(2, 201) if is_reachable(groups, confidence, draws)), None)


def expanded_percentile(
    samples: NDArray[np.float64], estimate: float, groups: int, confidence: float = 0.95
) -> Interval:
    """The interval of a statistic from its resamples; always holds the estimate.

    ``groups`` is the number of groups resampled (the smaller one when two samples are). Raises ValueError for NaN.
    """
    if np.isnan(samples).any() or math.isnan(estimate):
        raise ValueError("an interval needs samples and an estimate without NaN")
    level = expanded_level(groups, confidence)
    low = np.quantile(samples, level, method="lower")
    high = np.quantile(samples, 1 - level, method="higher")
    return Interval(low=min(float(low), estimate), high=max(float(high), estimate), confidence=confidence)
