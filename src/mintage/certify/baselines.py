"""The trivial models that a model must beat, fitted on its training rows; the one file that imports scikit-learn.

- ``prior``: the share of positives, for every row;
- ``tree``: a decision tree of depth 3, each category replaced by its rate in training;
- ``one feature``: a logistic regression on the one column that explains training best (by log-loss).

A column's missing values are a value of their own, categories unseen in training have the overall rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.errors import ExtraMissingError
from mintage.stats.loss import log_loss_rows

__all__ = ["BASELINES", "baseline_scores"]

BASELINES = ("prior", "tree", "one feature")
_Scores = NDArray[np.float64]
_DEPTH, _LEAF, _CATEGORIES = 3, 20, 200


def baseline_scores(
    train: Mapping[str, NDArray[Any]], labels: NDArray[Any], rows: Mapping[str, NDArray[Any]], *, seed: int
) -> dict[str, _Scores]:
    """Scores of each baseline on ``rows``, fitted on ``train``; raises ExtraMissingError without scikit-learn."""
    count = len(next(iter(rows.values())))
    y = np.asarray(labels, dtype=np.int64)
    prior = float(y.mean())
    constant = np.full(count, prior)
    if prior in (0.0, 1.0):
        return dict.fromkeys(BASELINES, constant)
    return {
        "prior": constant,
        "tree": _tree(train, y, rows, seed=seed),
        "one feature": _one_feature(train, y, rows),
    }


def _tree(train: Mapping[str, NDArray[Any]], y: NDArray[np.int64], rows: Mapping[str, NDArray[Any]], *, seed: int) -> _Scores:
    tree_type = _sklearn()[1]
    fitted, asked = [], []
    for name, column in train.items():
        rates = _rates(column, y) if column.dtype.kind == "O" else None
        fitted.append(column if rates is None else _recode(column, rates, float(y.mean())))
        asked.append(rows[name] if rates is None else _recode(rows[name], rates, float(y.mean())))
    tree = tree_type(max_depth=_DEPTH, min_samples_leaf=_LEAF, random_state=seed % 2**32)
    tree.fit(np.column_stack(fitted), y)
    return np.asarray(tree.predict_proba(np.column_stack(asked))[:, 1], dtype=np.float64)


def _one_feature(train: Mapping[str, NDArray[Any]], y: NDArray[np.int64], rows: Mapping[str, NDArray[Any]]) -> _Scores:
    best: tuple[float, _Scores] | None = None
    for name, column in train.items():
        fitted, asked = _logistic(column, y, rows[name])
        loss = float(log_loss_rows(y, fitted).mean())
        if best is None or loss < best[0]:
            best = (loss, asked)
    assert best is not None
    return best[1]


def _logistic(column: NDArray[Any], y: NDArray[np.int64], asked: NDArray[Any]) -> tuple[_Scores, _Scores]:
    """Scores of a one-column logistic regression on its own rows and on ``asked``.

    Rows of equal value and label are one weighted row, which changes nothing but the time.
    """
    if column.dtype.kind == "O":
        values, inverse = np.unique(_texts(column), return_inverse=True)
        common = values[np.argsort(-np.bincount(inverse), kind="stable")[:_CATEGORIES]]
        encode = _one_hot(np.sort(common))
    else:
        values, inverse = np.unique(column, return_inverse=True)
        known = column[~np.isnan(column)]
        encode = _standardise(float(known.mean()) if len(known) else 0.0, float(known.std()) if len(known) else 0.0)
    counts = np.bincount(2 * inverse + y, minlength=2 * len(values)).astype(np.float64)
    kept = counts > 0
    model = _sklearn()[0](max_iter=1000)
    model.fit(encode(np.repeat(values, 2)[kept]), np.tile([0, 1], len(values))[kept], sample_weight=counts[kept])
    fitted = model.predict_proba(encode(values))[:, 1][inverse]
    wanted = _texts(asked) if column.dtype.kind == "O" else asked
    return np.asarray(fitted, dtype=np.float64), np.asarray(model.predict_proba(encode(wanted))[:, 1], dtype=np.float64)


def _one_hot(categories: NDArray[Any]) -> Any:
    return lambda values: (values[:, None] == categories[None, :]).astype(np.float64)


def _standardise(mean: float, spread: float) -> Any:
    def encode(values: NDArray[np.float64]) -> NDArray[np.float64]:
        missing = np.isnan(values)
        scaled = np.where(missing, 0.0, (values - mean) / (spread or 1.0))
        return np.column_stack([scaled, missing.astype(np.float64)])

    return encode


def _rates(column: NDArray[Any], y: NDArray[np.int64]) -> dict[str, float]:
    values, inverse = np.unique(_texts(column), return_inverse=True)
    rates = np.bincount(inverse, weights=y) / np.bincount(inverse)
    return dict(zip(values.tolist(), rates.tolist(), strict=True))


def _recode(column: NDArray[Any], rates: Mapping[str, float], unseen: float) -> NDArray[np.float64]:
    return np.array([rates.get(text, unseen) for text in _texts(column).tolist()], dtype=np.float64)


def _texts(column: NDArray[Any]) -> NDArray[np.str_]:
    """Strings as they are behind a sign, so that a missing value is like none of them."""
    return np.array(["-" if value is None else f"={value}" for value in column.tolist()])


def _sklearn() -> tuple[Any, Any]:
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        raise ExtraMissingError(
            "trivial baselines need scikit-learn, which is not installed",
            expected="scikit-learn",
            found=str(error),
            hint="install it: pip install 'mintage[demo]'",
        ) from error
    return LogisticRegression, DecisionTreeClassifier
