"""The trivial models that a model must beat, fitted on its training rows; the one file that imports scikit-learn.

- ``prior``: the share of positives, for every row;
- ``tree``: a decision tree of depth 3 on the columns as they are, categories as their number in sorted order;
- ``one_feature``: a logistic regression on the one column that explains training best (by log-loss), with one term for
  each of its 200 most common categories.

Missing is a value of its own. Trivial means without craft: a tree on columns made from the label (rates of
categories), or on one column a category, is a stronger rival than these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mintage.errors import ExtraMissingError
from mintage.stats.loss import log_loss_rows

__all__ = ["BASELINES", "BaselineName", "baseline_scores"]

BaselineName = Literal["prior", "tree", "one_feature"]
BASELINES: tuple[BaselineName, ...] = ("prior", "tree", "one_feature")
_Scores = NDArray[np.float64]
_DEPTH, _LEAF, _CATEGORIES = 3, 20, 200


def baseline_scores(
    names: Collection[BaselineName],
    train: Mapping[str, NDArray[Any]],
    labels: NDArray[Any],
    rows: Mapping[str, NDArray[Any]],
    *,
    seed: int,
) -> dict[str, _Scores]:
    """Scores of the named baselines on ``rows``, fitted on ``train``.

    Raises ExtraMissingError if one needs scikit-learn and it is not there.
    """
    count = len(next(iter(rows.values())))
    y = np.asarray(labels, dtype=np.int64)
    prior = float(y.mean())
    constant = np.full(count, prior)
    if prior in (0.0, 1.0):
        return dict.fromkeys(names, constant)
    makers: dict[str, Callable[[], _Scores]] = {
        "prior": lambda: constant,
        "tree": lambda: _tree(train, y, rows, seed=seed),
        "one_feature": lambda: _one_feature(train, y, rows),
    }
    return {name: makers[name]() for name in names}


def _tree(
    train: Mapping[str, NDArray[Any]], y: NDArray[np.int64], rows: Mapping[str, NDArray[Any]], *, seed: int
) -> _Scores:
    tree_type = _sklearn()[1]
    fitted, asked = [], []
    for name, column in train.items():
        if column.dtype.kind == "O":
            known = np.unique(_texts(column))
            fitted.append(_codes(column, known))
            asked.append(_codes(rows[name], known))
        else:
            fitted.append(column)
            asked.append(rows[name])
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
    logistic, _, one_thread = _sklearn()
    model = logistic(max_iter=1000)
    with one_thread():
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


def _codes(column: NDArray[Any], known: NDArray[np.str_]) -> NDArray[np.float64]:
    """The place of each text among the sorted ``known`` ones, -1 for others."""
    texts = _texts(column)
    places = np.searchsorted(known, texts)
    found = known[np.minimum(places, len(known) - 1)] == texts
    return np.where(found, places, -1).astype(np.float64)


def _texts(column: NDArray[Any]) -> NDArray[np.str_]:
    """Strings as they are behind a sign, so that a missing value is like none of them."""
    return np.array(["-" if value is None else f"={value}" for value in column.tolist()])


def _sklearn() -> tuple[Any, Any, Any]:
    """The two models, and a context in which sums use one thread: small fits take longer with more, and the last bits
    of a score must not depend on the machine's number of cores."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.tree import DecisionTreeClassifier
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ExtraMissingError(
            "trivial baselines need scikit-learn, which is not installed",
            expected="scikit-learn",
            found=str(error),
            hint="install it: pip install 'mintage[demo]'",
        ) from error
    return LogisticRegression, DecisionTreeClassifier, lambda: threadpool_limits(1)
