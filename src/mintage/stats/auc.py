"""The area under the ROC curve, weighted, and fast for thousands of resamples of groups.

``auc`` is the Mann-Whitney form: the share of (positive, negative) pairs that the score orders rightly, ties for half.
``GroupedAuc`` sorts once. While a sample has at most ``MATRIX_GROUPS`` groups it counts the ordered pairs of every two
groups once, so that each resample costs one small quadratic form; with more groups it walks the sorted rows for each
resample. Both are sums of integers and halves: exact in float64, hence the same bits on every machine.

>>> auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
0.75
>>> auc(np.array([0, 1]), np.array([0.5, 0.5]))
0.5
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MATRIX_GROUPS", "GroupedAuc", "auc"]

MATRIX_GROUPS = 512
_Labels = NDArray[np.integer] | NDArray[np.floating] | NDArray[np.bool_]


def auc(y: _Labels, score: NDArray[np.float64], weight: NDArray[np.float64] | None = None) -> float:
    """AUC of ``score`` for labels ``y`` (0 or 1), rows counted ``weight`` times; NaN when a class has no weight."""
    rows = np.ones(len(score)) if weight is None else np.asarray(weight, dtype=np.float64)
    ranked = GroupedAuc(y, score, np.arange(len(score)), len(score))
    return float(ranked.walk(rows[None, :])[0])


class GroupedAuc:
    """AUC as a function of the weights of groups; ``index`` gives each row's group, 0 to ``groups`` - 1."""

    def __init__(self, y: _Labels, score: NDArray[np.float64], index: NDArray[np.intp], groups: int) -> None:
        positive, index = np.asarray(y) == 1, np.asarray(index)
        negatives = np.asarray(score, dtype=np.float64)[~positive]
        order = np.argsort(negatives, kind="stable")
        self._groups = groups
        self._negative = index[~positive][order]  # the groups of the negatives, by score
        self._positive = index[positive]
        scores = np.asarray(score, dtype=np.float64)[positive]
        # of each positive: how many negatives lie below it, and how many below or level with it
        self._below = np.searchsorted(negatives[order], scores, side="left")
        self._level = np.searchsorted(negatives[order], scores, side="right")
        self._pairs: NDArray[np.float64] | None = None

    def values(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """AUC for each row of ``weights`` [draws, groups]; NaN where a class has no weight."""
        return self.quadratic(weights) if self._groups <= MATRIX_GROUPS else self.walk(weights)

    def quadratic(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """``values`` through the matrix of ordered pairs; time and memory grow with the square of the groups."""
        if self._pairs is None:
            self._pairs = self._count_pairs()
        wins = np.einsum("dg,dg->d", weights @ self._pairs, weights)
        positives = weights @ np.bincount(self._positive, minlength=self._groups).astype(np.float64)
        negatives = weights @ np.bincount(self._negative, minlength=self._groups).astype(np.float64)
        return _ratio(wins, positives * negatives)

    def walk(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """``values`` by one pass over the sorted rows for each draw."""
        wins, pairs = np.empty(len(weights)), np.empty(len(weights))
        running = np.zeros(len(self._negative) + 1)
        for draw, row in enumerate(weights):
            np.cumsum(row[self._negative], out=running[1:])
            hits = row[self._positive]
            wins[draw] = hits @ (running[self._below] + running[self._level]) / 2
            pairs[draw] = hits.sum() * running[-1]
        return _ratio(wins, pairs)

    def _count_pairs(self) -> NDArray[np.float64]:
        """[g, h]: pairs of a positive of group g and a negative of group h in the right order, ties for half."""
        pairs = np.zeros((self._groups, self._groups))
        running = np.zeros(len(self._negative) + 1)
        for group in range(self._groups):
            np.cumsum(self._negative == group, out=running[1:])
            wins = (running[self._below] + running[self._level]) / 2
            pairs[:, group] = np.bincount(self._positive, weights=wins, minlength=self._groups)
        return pairs


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    result = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=result, where=bottom > 0)
    return result
