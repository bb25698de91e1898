"""Columns as trivial models take them: categories as numbers or one term each, missing as a value of its own.

>>> known = np.unique(texts(np.array(["b", None, "a"], dtype=object)))
>>> codes(np.array(["a", "z", None], dtype=object), known).tolist()
[1.0, -1.0, 0.0]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoder", "as_numbers", "codes", "distinct", "texts", "with_numbers"]

_CATEGORIES = 200
_LARGEST = 1e30
Encoder = Callable[[NDArray[Any]], NDArray[np.float64]]
"""From values, texts for a text column, to the terms of a model of that one column."""


def as_numbers(
    train: Mapping[str, NDArray[Any]], rows: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All columns of both tables as numbers: of a category its place in sorted order, -1 for one not in training."""
    fitted, asked = [], []
    for name, column in train.items():
        if column.dtype.kind == "O":
            known = np.unique(texts(column))
            fitted.append(codes(column, known))
            asked.append(codes(rows[name], known))
        else:
            fitted.append(_bounded(column))
            asked.append(_bounded(rows[name]))
    return np.column_stack(fitted), np.column_stack(asked)


def with_numbers(table: NDArray[np.float64], fitted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The table for trees that are fitted on the rows ``fitted``: a column that has no number there is all zeros."""
    return np.where(np.isnan(table[fitted]).all(axis=0), 0.0, table)


def distinct(column: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp], Encoder]:
    """The distinct values of a column, the place of each row's among them, and how a model of it alone sees values.

    Numbers are standardised, with one term for missing; of categories the 200 most common have a term each.
    """
    if column.dtype.kind == "O":
        values, inverse = np.unique(texts(column), return_inverse=True)
        common = values[np.argsort(-np.bincount(inverse), kind="stable")[:_CATEGORIES]]
        return values, inverse, _one_hot(np.sort(common))
    values, inverse = np.unique(column, return_inverse=True)
    known = _bounded(column[~np.isnan(column)])
    return (
        values,
        inverse,
        _standardise(float(known.mean()) if len(known) else 0.0, float(known.std()) if len(known) else 0.0),
    )


def codes(column: NDArray[Any], known: NDArray[np.str_]) -> NDArray[np.float64]:
    """The place of each text among the sorted ``known`` ones, -1 for others."""
    found = texts(column)
    places = np.searchsorted(known, found)
    same = known[np.minimum(places, len(known) - 1)] == found
    return np.where(same, places, -1).astype(np.float64)


def texts(column: NDArray[Any]) -> NDArray[np.str_]:
    """Strings as they are behind a sign, so that a missing value is like none of them."""
    return np.array(["-" if value is None else f"={value}" for value in column.tolist()])


def _bounded(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Infinities as large numbers: trees compute in float32, and add them up."""
    return np.clip(column, -_LARGEST, _LARGEST)


def _one_hot(categories: NDArray[Any]) -> Encoder:
    return lambda values: (values[:, None] == categories[None, :]).astype(np.float64)


def _standardise(mean: float, spread: float) -> Encoder:
    def encode(values: NDArray[np.float64]) -> NDArray[np.float64]:
        missing = np.isnan(values)
        scaled = np.where(missing, 0.0, (_bounded(values) - mean) / (spread or 1.0))
        return np.column_stack([scaled, missing.astype(np.float64)])

    return encode
