"""The type, range and categories of a column, from training rows alone.

A range is what was seen, a tenth of its width wider at either end, rounded outwards to numbers that a person would
write; a column of no negative number stays so. A value beyond it is flagged when served, not refused.

>>> widen(18.0, 79.0)
(11.0, 86.0)
>>> widen(0.0, 0.93)
(0.0, 1.03)
>>> widen(5.0, 5.0)
(5.0, 5.0)
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import compute

from mintage.pipeline.infer.target import Column
from mintage.repo.modelfile import InputSpec

__all__ = ["MOST_CATEGORIES", "column_of", "infer_input", "widen"]

MOST_CATEGORIES = 50
MOST_VALUES = 100


def column_of(name: str, values: Any) -> Column:
    """What decisions need of a column of an Arrow table."""
    distinct = compute.unique(values.combine_chunks() if hasattr(values, "combine_chunks") else values)
    known = None
    if len(distinct) <= MOST_VALUES:
        known = frozenset(value for value in distinct.to_pylist() if isinstance(value, str | float | int | bool))
    return Column(name=name, kind=_kind(values), values=known)


def _kind(values: Any) -> str:
    kind = values.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "string"
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "int"
    if pa.types.is_floating(kind):
        return "float"
    return "time" if pa.types.is_temporal(kind) else "other"


def infer_input(values: Any, *, kind: str) -> InputSpec:
    """The declaration of one input of type ``kind``."""
    nullable = bool(values.null_count)
    if kind == "string":
        texts = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
        known = sorted(value for value in compute.unique(texts).to_pylist() if value is not None)
        few = len(known) <= MOST_CATEGORIES and len(known) * 2 <= max(len(values), 1)
        return InputSpec(type="string", categories=tuple(known) if known and few else None, nullable=nullable)
    column = values.cast(pa.int8()) if pa.types.is_boolean(values.type) else values
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    nullable = nullable or bool(np.isnan(numbers).any())
    finite = numbers[np.isfinite(numbers)]
    spec = InputSpec(type="int" if kind == "int" else "float", nullable=nullable)
    if not len(finite):
        return spec
    low, high = float(finite.min()), float(finite.max())
    boolean = pa.types.is_boolean(values.type) or (kind == "int" and (low, high) == (0.0, 1.0))
    if boolean:
        return msgspec.structs.replace(spec, range=(0.0, 1.0))
    ends = widen(low, high)
    if kind == "int":
        ends = float(math.floor(ends[0])), float(math.ceil(ends[1]))
    return msgspec.structs.replace(spec, range=ends)


def widen(low: float, high: float) -> tuple[float, float]:
    """The range to declare for numbers seen from ``low`` to ``high``."""
    if low == high:
        return low, high
    margin = (high - low) / 10
    step = 10.0 ** math.floor(math.log10(high - low) - 1)
    wide_low, wide_high = _round(low - margin, step, math.floor), _round(high + margin, step, math.ceil)
    if low >= 0:
        wide_low = max(wide_low, 0.0)
    if high <= 0:
        wide_high = min(wide_high, 0.0)
    return wide_low, wide_high


def _round(value: float, step: float, towards: Any) -> float:
    """``value`` to a multiple of ``step``, written without the noise of binary fractions."""
    digits = max(0, -math.floor(math.log10(step)))
    return round(float(towards(round(value / step, 6))) * step, digits)
