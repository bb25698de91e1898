"""What rows of the declared domain are made of, for a search among them: of each input its values. Pure.

The model file's range, categories, whole numbers and null; where it declares no end of a range, or no categories, what
training has (of texts the fifty most common). ``seen`` are values of a number that training has, from its least to its
largest.

>>> specs = {"age": InputSpec(type="int", range=(0, None), nullable=False)}
>>> age, = row_schema(specs, {"age": np.array([30.0, 64.0])})
>>> age["low"], age["high"], age["integer"], age["nullable"], age["seen"]
(0.0, 64.0, True, False, [30.0, 64.0])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.repo.modelfile import InputSpec

__all__ = ["row_schema"]

_MOST_TEXTS, _SEEN = 50, 101


def row_schema(inputs: Mapping[str, InputSpec], train: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Each input in the order of its name."""
    return [_input(name, inputs.get(name), train[name]) for name in sorted(train)]


def _input(name: str, spec: InputSpec | None, column: NDArray[Any]) -> dict[str, Any]:
    text = column.dtype.kind == "O"
    nullable = spec.nullable if spec is not None else _has_null(column)
    integer = spec is not None and spec.type == "int"
    item = {"name": name, "text": text, "integer": integer, "nullable": nullable, "choices": None}
    declared = None if spec is None else spec.categories
    if text:
        counted = Counter(value for value in column.tolist() if value is not None)
        common = sorted(counted, key=lambda value: (-counted[value], value))[:_MOST_TEXTS]
        return item | {"choices": list(declared or common or ("",)), "low": 0.0, "high": 0.0}
    if declared is not None:
        return item | {"choices": [float(value) for value in declared], "low": 0.0, "high": 0.0}
    known = column[~np.isnan(column)]
    low, high = (spec.range if spec is not None else None) or (None, None)
    least, largest = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    low = min(least, largest if high is None else high) if low is None else low
    high = max(largest, low) if high is None else high
    seen = np.unique(np.quantile(known, np.linspace(0, 1, _SEEN), method="nearest")) if len(known) else known
    inside = [float(value) for value in seen if low <= value <= high]
    return item | {"low": float(low), "high": float(high), "seen": inside or [low]}


def _has_null(column: NDArray[Any]) -> bool:
    return bool(any(value is None for value in column.tolist()) if column.dtype.kind == "O" else np.isnan(column).any())
