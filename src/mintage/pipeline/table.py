"""Columns of a stage's Parquet output as models and checks take them.

Numbers are float64 with NaN for null, texts object arrays of str or None. A declared input that is absent or has
another type is an error that names the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mintage.errors import DataError
from mintage.repo.modelfile import ModelSpec

__all__ = ["input_columns", "labels_of", "plain_column"]


def input_columns(table: pa.Table, spec: ModelSpec, *, where: str) -> dict[str, NDArray[Any]]:
    """The declared inputs of a model out of ``table``."""
    found = {}
    for name, declared in spec.inputs.items():
        column = _column(table, name, where=where)
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
            text = True
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if (declared.type == "string") != text or not (text or number):
            raise DataError(
                f"the column {name} is not of its declared type",
                expected=declared.type,
                found=str(column.type),
                where=where,
                hint="correct `inputs:` of the model file, or the stage that writes the column",
            )
        found[name] = _values(column, text=text)
    return found


def labels_of(table: pa.Table, spec: ModelSpec, *, where: str) -> NDArray[np.int64]:
    """The target column of a model with one binary target: 0 or 1 in every row."""
    (target,) = spec.targets
    column = _column(table, target, where=where)
    if column.null_count:
        raise DataError(f"{column.null_count} rows have no label", where=f"{where}, column {target}")
    values = np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.float64)
    if not np.isin(values, (0.0, 1.0)).all():
        raise DataError("labels must be 0 or 1", found=str(np.unique(values)[:5].tolist()), where=where)
    return values.astype(np.int64)


def plain_column(table: pa.Table, name: str, *, where: str) -> NDArray[Any]:
    """Any column as it is, such as a group key; null is refused."""
    column = _column(table, name, where=where)
    if column.null_count:
        raise DataError(f"{column.null_count} rows have no {name}", where=where)
    return np.array(column.to_pylist(), dtype=object)


def _column(table: pa.Table, name: str, *, where: str) -> Any:
    if name not in table.column_names:
        raise DataError(
            f"there is no column {name}", expected=name, found=", ".join(table.column_names[:30]), where=where
        )
    return table.column(name).combine_chunks()


def _values(column: Any, *, text: bool) -> NDArray[Any]:
    if text:
        values = np.empty(len(column), dtype=object)
        values[:] = column.to_pylist()
        return values
    return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
