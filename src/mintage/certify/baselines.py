"""The trivial models that a model must beat, fitted on its training rows; the one file that imports scikit-learn.

Of a classifier:

- ``prior``: the share of each class, for every row;
- ``tree``: a decision tree of depth 3 on the columns as they are, categories as their number in sorted order;
- ``one_feature``: a logistic regression on the one column that explains training best (by log-loss), with one term for
  each of its 200 most common categories.

Of a regression ``mean``, ``median``, such a ``tree``, and as ``one_feature`` a line through the column that explains
training best (by squared error).

Missing is a value of its own. Trivial means without craft: a tree on columns made from the label (rates of
categories), or on one column a category, is a stronger rival than these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Task
from mintage.certify.baseline_columns import as_numbers, distinct, texts
from mintage.errors import ExtraMissingError
from mintage.stats.loss import class_log_loss_rows, log_loss_rows

__all__ = ["BaselineName", "baseline_values", "baselines_of"]

BaselineName = Literal["prior", "mean", "median", "tree", "one_feature"]
Columns = Mapping[str, NDArray[Any]]
_Values = NDArray[np.float64]
_DEPTH, _LEAF = 3, 20


def baselines_of(task: Task) -> tuple[BaselineName, ...]:
    """The trivial models of a task."""
    return ("mean", "median", "tree", "one_feature") if task == "regression" else ("prior", "tree", "one_feature")


def baseline_values(
    names: Collection[BaselineName],
    train: Columns,
    labels: NDArray[Any],
    rows: Columns,
    *,
    task: Task,
    classes: int = 2,
    seed: int,
) -> dict[str, _Values]:
    """What the named models of the task, fitted on ``train``, answer to ``rows``: values as those of a model.

    Raises ExtraMissingError if one needs scikit-learn and it is not there.
    """
    count = len(next(iter(rows.values())))
    if task == "regression":
        return _numbers(names, train, np.asarray(labels, dtype=np.float64), rows, count=count, seed=seed)
    y = np.asarray(labels, dtype=np.int64)
    shares = np.bincount(y, minlength=classes) / len(y)
    constant = np.tile(shares, (count, 1))
    if shares.max() == 1.0:
        found = dict.fromkeys(names, constant)
    else:
        makers: dict[str, Callable[[], _Values]] = {
            "prior": lambda: constant,
            "tree": lambda: _tree_classes(train, y, rows, classes=classes, seed=seed),
            "one_feature": lambda: _one_feature_classes(train, y, rows, classes=classes),
        }
        found = {name: makers[name]() for name in names}
    return {name: values[:, 1] if task == "binary" else values for name, values in found.items()}


def _numbers(
    names: Collection[BaselineName], train: Columns, y: _Values, rows: Columns, *, count: int, seed: int
) -> dict[str, _Values]:
    makers: dict[str, Callable[[], _Values]] = {
        "mean": lambda: np.full(count, y.mean()),
        "median": lambda: np.full(count, np.median(y)),
        "tree": lambda: _tree_numbers(train, y, rows, seed=seed),
        "one_feature": lambda: _one_feature_numbers(train, y, rows),
    }
    return {name: makers[name]() for name in names}


def _tree_classes(train: Columns, y: NDArray[np.int64], rows: Columns, *, classes: int, seed: int) -> _Values:
    fitted, asked = as_numbers(train, rows)
    tree = _sklearn().tree_of_classes(max_depth=_DEPTH, min_samples_leaf=_LEAF, random_state=seed % 2**32)
    tree.fit(fitted, y)
    return _of_all(tree.predict_proba(asked), tree.classes_, classes)


def _tree_numbers(train: Columns, y: _Values, rows: Columns, *, seed: int) -> _Values:
    fitted, asked = as_numbers(train, rows)
    tree = _sklearn().tree_of_numbers(max_depth=_DEPTH, min_samples_leaf=_LEAF, random_state=seed % 2**32)
    tree.fit(fitted, y)
    return np.asarray(tree.predict(asked), dtype=np.float64)


def _one_feature_classes(train: Columns, y: NDArray[np.int64], rows: Columns, *, classes: int) -> _Values:
    best: tuple[float, _Values] | None = None
    for name, column in train.items():
        fitted, asked = _logistic(column, y, rows[name], classes=classes)
        rated = log_loss_rows(y, fitted[:, 1]) if classes == 2 else class_log_loss_rows(y, fitted)
        if best is None or float(rated.mean()) < best[0]:
            best = (float(rated.mean()), asked)
    assert best is not None
    return best[1]


def _one_feature_numbers(train: Columns, y: _Values, rows: Columns) -> _Values:
    best: tuple[float, _Values] | None = None
    for name, column in train.items():
        values, inverse, encode = distinct(column)
        terms = np.column_stack([np.ones(len(values)), encode(values)])
        # rows of equal value are one, at the mean of their labels, which changes nothing but the time
        counts = np.bincount(inverse, minlength=len(values)).astype(np.float64)
        means = np.bincount(inverse, weights=y, minlength=len(values)) / counts
        root = np.sqrt(counts)
        with _sklearn().one_thread():
            line = np.linalg.lstsq(terms * root[:, None], means * root, rcond=None)[0]
            loss = float(np.square(y - (terms @ line)[inverse]).mean())
            asked = rows[name]
            wanted = encode(texts(asked) if column.dtype.kind == "O" else asked)
            answered = np.column_stack([np.ones(len(wanted)), wanted]) @ line
        if best is None or loss < best[0]:
            best = (loss, answered)
    assert best is not None
    return best[1]


def _logistic(
    column: NDArray[Any], y: NDArray[np.int64], asked: NDArray[Any], *, classes: int
) -> tuple[_Values, _Values]:
    """Probabilities of a one-column logistic regression for its own rows and for ``asked``.

    Rows of equal value and label are one weighted row, which changes nothing but the time.
    """
    values, inverse, encode = distinct(column)
    counts = np.bincount(classes * inverse + y, minlength=classes * len(values)).astype(np.float64)
    kept = counts > 0
    tools = _sklearn()
    model = tools.logistic(max_iter=1000)
    with tools.one_thread():
        model.fit(
            encode(np.repeat(values, classes)[kept]),
            np.tile(np.arange(classes), len(values))[kept],
            sample_weight=counts[kept],
        )
    fitted = _of_all(model.predict_proba(encode(values)), model.classes_, classes)[inverse]
    wanted = texts(asked) if column.dtype.kind == "O" else asked
    return fitted, _of_all(model.predict_proba(encode(wanted)), model.classes_, classes)


def _of_all(values: NDArray[Any], known: NDArray[Any], classes: int) -> _Values:
    """Probabilities of all classes: none for one that training does not have."""
    found = np.zeros((len(values), classes))
    found[:, np.asarray(known, dtype=np.intp)] = values
    return found


@dataclass(frozen=True)
class _Tools:
    """Models, and a context in which sums use one thread: small fits take longer with more, and the last bits of a
    score must not depend on the machine's number of cores."""

    logistic: Any
    tree_of_classes: Any
    tree_of_numbers: Any
    one_thread: Callable[[], Any]


def _sklearn() -> _Tools:
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise ExtraMissingError(
            "trivial baselines need scikit-learn, which is not installed",
            expected="scikit-learn",
            found=str(error),
            hint="install it: pip install 'mintage[demo]'",
        ) from error
    return _Tools(LogisticRegression, DecisionTreeClassifier, DecisionTreeRegressor, lambda: threadpool_limits(1))
