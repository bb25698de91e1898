"""What one column alone tells of the label: answers to each row from the rows of other folds with a like value.

Of numbers with more than 100 different values the nearest ones are alike, a two-hundredth of the rows and at least 8;
otherwise equal values are, and so are nulls. The answer is the mean label (or the share of each class) of like rows,
drawn towards that of all by one row; a value that no other fold has, such as an id, tells nothing.

>>> y = np.arange(400) % 2
>>> values = answers_of(y * 3.0, y, task="binary", classes=2, folds=np.arange(400) // 80)
>>> bool(values[y == 1].min() > 0.9), bool(values[y == 0].max() < 0.1)
(True, True)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Task

__all__ = ["answers_of", "missing_of"]

_DISTINCT, _FEWEST, _MOST, _DRAWN = 100, 8, 50, 1.0
Numbers = NDArray[np.float64]


def answers_of(
    column: NDArray[Any], labels: NDArray[Any], *, task: Task, classes: int, folds: NDArray[np.intp]
) -> Numbers:
    """Values as those of a model of the task, for each row of ``column``."""
    wanted = labels.astype(np.float64)[:, None] if task == "regression" else np.eye(classes)[labels]
    prior = wanted.mean(axis=0)
    found = np.tile(prior, (len(wanted), 1))
    known = np.zeros(len(wanted), dtype=bool)
    if column.dtype.kind != "O":
        known = ~np.isnan(column)
        known &= len(np.unique(column[known])) > _DISTINCT
    likes = _places(column)
    for fold in np.unique(folds):
        mine, rest = folds == fold, folds != fold
        near = known & rest
        if near.sum() >= _FEWEST:
            asked = known & mine
            found[asked] = _nearest(column[near], wanted[near], column[asked], prior)
        asked, near = mine & ~known, rest & ~known
        found[asked] = _equal(likes[near], wanted[near], likes[asked], prior)
    return found if task == "multiclass" else found[:, 1] if task == "binary" else found[:, 0]


def missing_of(column: NDArray[Any]) -> Numbers | None:
    """Whether each value is missing, as a column of 0 and 1; None where all are, or none is."""
    null = np.array([value is None for value in column.tolist()]) if column.dtype.kind == "O" else np.isnan(column)
    return null.astype(np.float64) if null.any() and not null.all() else None


def _places(column: NDArray[Any]) -> NDArray[np.intp]:
    """A number for each row, the same for equal values."""
    if column.dtype.kind == "O":
        places: dict[str | None, int] = {}
        return np.array([places.setdefault(value, len(places)) for value in column.tolist()], dtype=np.intp)
    return np.unique(column, return_inverse=True)[1].reshape(-1)


def _equal(likes: NDArray[np.intp], wanted: Numbers, asked: NDArray[np.intp], prior: Numbers) -> Numbers:
    size = int(max(likes.max(initial=0), asked.max(initial=0))) + 1
    counts = np.bincount(likes, minlength=size)[:, None]
    sums = np.column_stack([np.bincount(likes, weights=one, minlength=size) for one in wanted.T])
    found: Numbers = ((sums + _DRAWN * prior) / (counts + _DRAWN))[asked]
    return found


def _nearest(values: Numbers, wanted: Numbers, asked: Numbers, prior: Numbers) -> Numbers:
    """The mean of the nearest rows: of sorted values they are side by side, in the window whose ends are nearest."""
    count = min(max(_FEWEST, len(values) // 200), _MOST, len(values))
    order = np.argsort(values, kind="stable")
    values = values[order]
    sums = np.concatenate([np.zeros((1, wanted.shape[1])), np.cumsum(wanted[order], axis=0)])
    first = np.searchsorted(values, asked) - count
    best, start = np.full(len(asked), np.inf), np.zeros(len(asked), dtype=np.intp)
    for step in range(count + 1):
        begin = np.clip(first + step, 0, len(values) - count)
        reach = np.maximum(asked - values[begin], values[begin + count - 1] - asked)
        nearer = reach < best
        best, start = np.where(nearer, reach, best), np.where(nearer, begin, start)
    return np.asarray((sums[start + count] - sums[start] + _DRAWN * prior) / (count + _DRAWN))
