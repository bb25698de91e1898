"""Tell the rows of the hold-out from those of training: boosted trees, each row's score from rows of other folds.

Texts are places among the 50 most common of both splits, so that a value that only one row has, such as an id, tells
nothing. Rows of one group are in one fold. Of more than 10,000 rows of a split as many are drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.baseline_columns import with_numbers
from mintage.certify.evidence import Split
from mintage.certify.folds import fold_of
from mintage.certify.scikit import open_scikit

__all__ = ["both_splits", "told_apart"]

_ROWS, _FOLDS, _COMMON, _TWICE = 10_000, 4, 50, 2


def both_splits(train: Split, holdout: Split, *, seed: int, extra: NDArray[np.float64] | None = None) -> Split:
    """All rows with the label 1 for those of the hold-out, and scores that tell them apart, as a split of its own.

    ``extra`` is one more column, of all training rows and then of all of the hold-out.
    """
    kept = [_drawn(split.rows, seed + place) for place, split in enumerate((train, holdout))]
    table = [_numbers(train.columns, holdout.columns, name, kept) for name in train.columns]
    if extra is not None:
        table.append(np.concatenate([extra[: train.rows][kept[0]], extra[train.rows :][kept[1]]]))
    groups = None
    if train.groups is not None and holdout.groups is not None:
        groups = np.concatenate([train.groups[kept[0]], holdout.groups[kept[1]]])
    folds = np.concatenate(
        [
            fold_of(None if split.groups is None else split.groups[rows], rows=len(rows), count=_FOLDS, seed=seed)
            for split, rows in zip((train, holdout), kept, strict=True)
        ]
    )
    labels = np.repeat([0, 1], [len(kept[0]), len(kept[1])])
    scores = told_apart(np.column_stack(table), labels, folds, seed=seed)
    answers = Answers(task="binary", values=scores)
    return Split(name="training and hold-out", columns={}, labels=labels, answers=answers, groups=groups)


def told_apart(
    table: NDArray[np.float64], labels: NDArray[np.intp], folds: NDArray[np.intp], *, seed: int
) -> NDArray[np.float64]:
    """How likely label 1 is for each row, by models of the other folds, as its rank in its own fold, 0 to 1.

    Each fold's model knows a little too few rows of what its own fold has too many of: between folds scores would say
    the opposite of what is true. So classes weigh the same, and rows are compared within their fold alone.
    """
    tools = open_scikit("telling the splits apart needs")
    found = np.full(len(labels), 0.5)
    with tools.one_thread():
        for fold in np.unique(folds):
            mine, rest = folds == fold, folds != fold
            if len(np.unique(labels[rest])) < _TWICE:
                continue
            model = tools.boosted_trees(
                max_iter=40, max_depth=3, early_stopping=False, class_weight="balanced", random_state=seed % 2**32
            )
            able = with_numbers(table, rest)
            found[mine] = _ranks(model.fit(able[rest], labels[rest]).predict_proba(able[mine])[:, 1])
    return found


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of scores below each one, equal ones counted by half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[places.reshape(-1)] / len(scores))


def _drawn(rows: int, seed: int) -> NDArray[np.intp]:
    if rows <= _ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:_ROWS])


def _numbers(
    train: Mapping[str, NDArray[Any]], holdout: Mapping[str, NDArray[Any]], name: str, kept: list[NDArray[np.intp]]
) -> NDArray[np.float64]:
    column = np.concatenate([train[name][kept[0]], holdout[name][kept[1]]])
    if column.dtype.kind != "O":
        return np.where(np.isinf(column), np.nan, column)
    values = column.tolist()
    counts = Counter(value for value in values if value is not None)
    common = sorted(sorted(counts, key=lambda value: (-counts[value], value))[:_COMMON])
    places: dict[str | None, float] = {value: float(place) for place, value in enumerate(common) if counts[value] > 1}
    places[None] = float("nan")
    return np.array([places.get(value, -1.0) for value in values])
