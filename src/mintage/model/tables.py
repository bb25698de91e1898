"""Columns of an Arrow table as the runtime takes them: float64 with NaN for null, objects of str or None.

Types are widened where that is exact and refused where it is not; columns that are no inputs are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from mintage.errors import InputMissingError, InputTypeError
from mintage.model.signature import Input, Signature

__all__ = ["encode_columns"]


def encode_columns(table: pa.Table, signature: Signature) -> dict[str, np.ndarray[Any, Any]]:
    """The signature's inputs out of ``table``; raises InputMissingError or InputTypeError."""
    absent = [item.name for item in signature.inputs if item.name not in table.column_names]
    if absent:
        raise InputMissingError(
            "the table lacks input columns",
            expected=", ".join(item.name for item in signature.inputs),
            found=f"no {', '.join(absent)}",
        )
    return {item.name: _column(item, table.column(item.name)) for item in signature.inputs}


def _column(item: Input, column: Any) -> np.ndarray[Any, Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if item.datatype == "BYTES":
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
            raise _type(item, "a string column", str(kind))
        values = np.empty(len(column), dtype=object)
        values[:] = column.to_pylist()
        return values
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
        raise _type(item, "a column of numbers", str(kind))
    try:
        return np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except pa.ArrowInvalid as error:
        raise _type(item, "numbers that a float64 holds exactly", str(error)[:200]) from error


def _type(item: Input, expected: str, found: str) -> InputTypeError:
    return InputTypeError(f"column {item.name} has another type", expected=expected, found=found)
