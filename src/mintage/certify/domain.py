"""Which values lie outside the domain that a model file declares: range, categories, null, fractions of integers,
rows that are said to be impossible.

>>> age = InputSpec(type="int", range=(0, 120), nullable=False)
>>> found = outside({"age": age}, {"age": np.array([30.0, 130.0, np.nan, 4.5])})
>>> {what: rows.tolist() for (_, what), rows in found.items()}
{'beyond its range': [False, True, False, False], 'null': [False, False, True, False], 'no whole number': \
[False, False, False, True]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.impossible import impossible_rows
from mintage.repo.condition import Condition
from mintage.repo.modelfile import InputSpec

__all__ = ["is_declared", "outside"]

Flags = NDArray[np.bool_]


def is_declared(inputs: Mapping[str, InputSpec]) -> bool:
    """Whether any value at all could lie outside."""
    return any(
        spec.range is not None or spec.categories is not None or not spec.nullable or spec.type == "int"
        for spec in inputs.values()
    )


def outside(
    inputs: Mapping[str, InputSpec], columns: Mapping[str, NDArray[Any]], conditions: Sequence[Condition] = ()
) -> dict[tuple[str, str], Flags]:
    """By column and what is wrong, the rows where it is; only what is wrong somewhere. An impossible row's column is
    ``impossible``, and what is wrong its condition."""
    found: dict[tuple[str, str], Flags] = {}
    for name, spec in inputs.items():
        column = columns[name]
        kinds = _text(spec, column) if column.dtype.kind == "O" else _number(spec, column)
        found |= {(name, what): rows for what, rows in kinds.items() if rows.any()}
    for condition in conditions:
        rows = impossible_rows([condition], columns)
        if rows.any():
            found["impossible", condition.text] = rows
    return found


def _text(spec: InputSpec, column: NDArray[Any]) -> dict[str, Flags]:
    values = column.tolist()
    found: dict[str, Flags] = {}
    if spec.categories is not None:
        known = {*spec.categories, None}
        found["no declared category"] = np.array([value not in known for value in values])
    if not spec.nullable:
        found["null"] = np.array([value is None for value in values])
    return found


def _number(spec: InputSpec, column: NDArray[Any]) -> dict[str, Flags]:
    null = np.isnan(column)
    low, high = spec.range or (None, None)
    beyond = np.zeros(len(column), dtype=bool)
    if low is not None:
        beyond |= column < low
    if high is not None:
        beyond |= column > high
    found = {"beyond its range": beyond}
    if not spec.nullable:
        found["null"] = null
    if spec.type == "int":
        found["no whole number"] = ~null & (column != np.round(column))
    if spec.categories is not None:
        known = np.array([float(value) for value in spec.categories])
        found["no declared category"] = ~null & ~np.isin(column, known)
    return found
