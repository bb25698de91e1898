"""Rows whose answer the library leaves to chance: nearest neighbours of which the last and the next are equally far.

scikit-learn says so itself: which of them counts depends on the order of the training data. Distances that differ in
their last digits only are equal here, because the library rounds them differently in its different searches.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .writer import type_name

__all__ = ["last_of", "tied_rows"]

NEIGHBORS = (
    "sklearn.neighbors._classification.KNeighborsClassifier",
    "sklearn.neighbors._regression.KNeighborsRegressor",
)
FROZEN = "sklearn.frozen._frozen.FrozenEstimator"
NEARLY = 1e-9


def last_of(estimator: Any, rows: Any = None) -> tuple[Any, Any]:
    """The model that answers for a pipeline, a search or a frozen one, and what ``rows`` are when they get there."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif type_name(type(estimator)) == FROZEN:
            estimator = estimator.estimator
        elif getattr(estimator, "steps", None):
            if rows is not None and len(estimator.steps) > 1:
                rows = estimator[:-1].transform(rows)
            estimator = estimator.steps[-1][1]
        else:
            return estimator, rows


def tied_rows(estimator: Any, rows: Any, count: int) -> Any:
    """Bool [count]."""
    if type_name(type(last_of(estimator)[0])) not in NEIGHBORS:
        return np.zeros(count, dtype=bool)
    last, inner = last_of(estimator, rows)
    if last.n_neighbors >= last.n_samples_fit_:
        return np.zeros(count, dtype=bool)
    distances, _ = last.kneighbors(inner, n_neighbors=last.n_neighbors + 1)
    inside, outside = distances[:, -2], distances[:, -1]
    return ~(outside - inside > NEARLY * outside)
