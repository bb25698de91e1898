"""The columns of both splits as levels: each row's place among few values of a column.

Numbers of at most 12 different values have a level each, others five of equally many training rows, the outer two
without end. Of texts the declared categories are levels and those of training, of more than 20 the most common, and
one for the rest. Null is a level where it occurs. Levels that only the hold-out has come after those of the domain.

>>> train, asked = np.array([1.0, 2.0, 2.0, np.nan]), np.array([2.0, 5.0])
>>> found = column_levels("a", train, asked)
>>> (found.names, found.domain, found.train.tolist(), found.holdout.tolist())
(('1', '2', 'null', 'another'), 3, [0, 1, 1, 2], [1, 3])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.evidence import Evidence
from mintage.repo.modelfile import InputSpec

__all__ = ["Levels", "column_levels", "levels_of"]

_DISTINCT, _INTERVALS, _CATEGORIES = 12, 5, 20
_ANOTHER = "another"
Places = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """One column: the names of its levels, how many of them are of the domain (the first ones), and each row's."""

    name: str
    names: tuple[str, ...]
    domain: int
    train: Places
    holdout: Places


def levels_of(evidence: Evidence, names: Iterable[str]) -> list[Levels]:
    """The levels of the named inputs."""
    inputs = {} if evidence.spec is None else evidence.spec.inputs
    return [
        column_levels(name, evidence.train.columns[name], evidence.holdout.columns[name], inputs.get(name))
        for name in names
    ]


def column_levels(name: str, train: NDArray[Any], holdout: NDArray[Any], spec: InputSpec | None = None) -> Levels:
    """The levels of one column."""
    if train.dtype.kind == "O":
        known = _categories(train, spec)
        ours, others = (_of_texts(column, known) for column in (train, holdout))
    else:
        known, edges = _values(train)
        ours, others = (_of_numbers(column, known, edges) for column in (train, holdout))
    places = np.concatenate([ours, others])
    names, domain = list(known), len(known)
    null, another = -1, -2
    if (places == null).any():
        names.append("null")
        domain += 1
        places[places == null] = len(names) - 1
    if (places == another).any():
        names.append(_ANOTHER)
        domain += bool((ours == another).any())
        places[places == another] = len(names) - 1
    return Levels(
        name=name, names=tuple(names), domain=domain, train=places[: len(train)], holdout=places[len(train) :]
    )


def _categories(train: NDArray[Any], spec: InputSpec | None) -> tuple[str, ...]:
    counts = Counter(value for value in train.tolist() if value is not None)
    declared = () if spec is None or spec.categories is None else spec.categories
    ordered = sorted({*counts, *declared}, key=lambda value: (-counts[value], value))
    return tuple(ordered[:_CATEGORIES]) if len(ordered) > _CATEGORIES else tuple(sorted(ordered))


def _of_texts(column: NDArray[Any], known: tuple[str, ...]) -> Places:
    places: dict[str | None, int] = {value: place for place, value in enumerate(known)} | {None: -1}
    return np.array([places.get(value, -2) for value in column.tolist()], dtype=np.intp)


def _values(train: NDArray[np.float64]) -> tuple[tuple[str, ...], NDArray[np.float64] | None]:
    """The names of the levels of numbers, and the inner ends of their intervals, None where each value is a level."""
    present = train[~np.isnan(train)]
    distinct = np.unique(present)
    if len(distinct) <= _DISTINCT:
        return tuple(f"{value:.12g}" for value in distinct), None
    wanted = np.linspace(0, 1, _INTERVALS + 1)[1:-1]
    inner = np.unique(np.quantile(present, wanted, method="inverted_cdf"))
    inner = inner[inner < distinct[-1]]
    if not len(inner):  # the largest value is that of nearly all rows
        inner = distinct[-2:-1]
    ends = [f"{value:.4g}" for value in inner]
    between = [f"{low} to {high}" for low, high in pairwise(ends)]
    return (f"to {ends[0]}", *between, f"over {ends[-1]}"), inner


def _of_numbers(column: NDArray[np.float64], known: tuple[str, ...], inner: NDArray[np.float64] | None) -> Places:
    null = np.isnan(column)
    if inner is None:
        values = np.array([float(name) for name in known])
        if not len(values):
            return np.where(null, -1, -2)
        rounded = np.array([float(f"{value:.12g}") for value in column])
        places = np.minimum(np.searchsorted(values, rounded), len(values) - 1)
        return np.where(null, -1, np.where(values[places] == rounded, places, -2))
    return np.where(null, -1, np.searchsorted(inner, column, side="left"))
