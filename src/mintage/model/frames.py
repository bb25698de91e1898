"""Rows of many kinds as the runtime takes them: arrays [N] by input name, float64, or objects of str and None.

What a kind of table holds is looked at without importing its library: a pandas or polars frame is known by what it can
do. Nothing is copied that has the right type already. Whether the values fit the model is not decided here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mintage.errors import EmptyBatchError, InputMissingError, InputShapeError, InputTypeError, InputUnknownError
from mintage.model.signature import Input, Signature
from mintage.model.validate import is_missing

__all__ = ["columns_of"]

Array = np.ndarray[Any, Any]
_FLOAT64, _OBJECT = np.dtype(np.float64), np.dtype(object)
_FEW = 64
_SCALARS = (str, int, float, type(None), np.generic)


def columns_of(rows: Any, signature: Signature) -> Mapping[str, Array]:
    """The columns of ``rows``; see ``LoadedModel.predict``."""
    if isinstance(rows, Mapping):
        return _from_mapping(rows, signature)
    if isinstance(rows, np.ndarray):
        return _from_array(rows, signature)
    if isinstance(rows, list | tuple):
        return _from_records(rows, signature)
    return _from_table(rows, signature)


def _from_mapping(rows: Mapping[str, Any], signature: Signature) -> dict[str, Array]:
    """A dict of columns, or of one row if its values are scalars."""
    found = {}
    for item in signature.inputs:
        try:
            value = rows[item.name]
        except KeyError:
            raise _absent(signature, rows) from None
        kind = type(value)
        if kind is float or kind is str or value is None:  # the way of one row, which must be short
            column = np.empty(1, dtype=_OBJECT if item.datatype == "BYTES" else _FLOAT64)
            if kind is str and item.datatype != "BYTES":
                raise _type(item, "a number", "str")
            column[0] = value
            found[item.name] = column
        else:
            found[item.name] = _one(item, value) if isinstance(value, _SCALARS) else _column(item, value)
    if len(rows) != len(found):
        raise _unknown(signature, rows)
    if not len(found[signature.inputs[0].name]):
        raise EmptyBatchError("there are no rows to predict", expected="one row or more")
    return found


def _one(item: Input, value: Any) -> Array:
    """A column of one value."""
    if item.datatype == "BYTES":
        column = np.empty(1, dtype=object)
        column[0] = value
        return column
    if type(value) is int or (isinstance(value, np.number) and value.dtype.kind in "iuf"):
        return np.array([value])
    raise _type(item, "a number", type(value).__name__)


def _column(item: Input, values: Any) -> Array:
    """A column as an array: itself if it is one of a fitting type."""
    if isinstance(values, np.ndarray):
        return _objects(item, values) if values.dtype == _OBJECT else values
    if type(values).__module__.partition(".")[0] in _SERIES:
        return _series(item, values)
    if not isinstance(values, Sequence):
        raise _type(item, "a column of values", type(values).__name__)
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return _objects(item, column)


def _series(item: Input, values: Any) -> Array:
    """A pandas or polars series, or an Arrow array. Whole numbers with missing ones among them are taken one by one."""
    plain, null_count, kind = _SERIES[type(values).__module__.partition(".")[0]]
    name = kind(values)
    if item.datatype == "FP64" and name.startswith(
        ("bool", "date", "time", "duration", "str", "large_str", "category")
    ):
        raise _type(item, "a column of numbers", name)
    if item.datatype == "FP64" and (name.startswith(("float", "double", "halffloat")) or not null_count(values)):
        array = np.asarray(values.to_numpy())
        return _objects(item, array) if array.dtype == _OBJECT else array
    if item.datatype == "BYTES" and len(values) > _FEW:
        with contextlib.suppress(TypeError):  # something without a hash: no text, which its check tells
            return _few_texts(values)
    column = np.empty(len(values), dtype=object)
    column[:] = plain(values)
    return _objects(item, column)


def _few_texts(values: Any) -> Array:
    """A column of texts as objects, each different text made once: few in many rows are the rule."""
    if type(values).__module__.startswith("pandas"):
        codes, different = values.factorize()
        found = different.tolist()
    else:
        coded = (values.to_arrow() if hasattr(values, "to_arrow") else values).dictionary_encode()
        coded = coded.combine_chunks() if hasattr(coded, "combine_chunks") else coded
        found = coded.dictionary.to_pylist()
        codes = coded.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False)
    table = np.empty(len(found) + 1, dtype=object)
    table[:-1] = found  # the place after the last, which is also -1, is a missing one
    column: Array = table[codes]
    return column


def _arrow_plain(values: Any) -> list[Any]:
    found: list[Any] = values.to_pylist()
    return found


_SERIES: Mapping[str, tuple[Callable[[Any], list[Any]], Callable[[Any], int], Callable[[Any], str]]] = {
    "pandas": (
        lambda values: values.tolist(),
        lambda values: int(values.isna().sum()),
        lambda values: str(values.dtype).lower(),
    ),
    "polars": (lambda values: values.to_list(), lambda values: values.null_count(), lambda v: str(v.dtype).lower()),
    "pyarrow": (_arrow_plain, lambda values: values.null_count, lambda values: str(values.type).lower()),
}
"""Of each library: a column's plain values, how many are missing, and the name of its type."""


def _objects(item: Input, column: Array) -> Array:
    """Numbers as objects, with what stands for a missing one as None; texts as they are, their check looks at each."""
    if item.datatype == "BYTES":
        return column
    values = [None if is_missing(value) else value for value in column.reshape(-1).tolist()]
    return np.array(values, dtype=object).reshape(column.shape)


def _from_array(rows: Array, signature: Signature) -> dict[str, Array]:
    """An array [N, inputs], or of one row [inputs]; also one with named fields."""
    if rows.dtype.names is not None:
        return _from_mapping({name: rows[name].reshape(-1) for name in rows.dtype.names}, signature)
    width = len(signature.inputs)
    table = rows.reshape(1, -1) if rows.ndim == 1 else rows
    if table.ndim != 2 or table.shape[1] != width:
        raise InputShapeError(
            "the array has another shape", expected=f"[rows, {width}], a column an input", found=str(list(rows.shape))
        )
    if not len(table):
        raise EmptyBatchError("there are no rows to predict", expected="one row or more")
    return {item.name: _column(item, table[:, place]) for place, item in enumerate(signature.inputs)}


def _from_records(rows: Sequence[Any], signature: Signature) -> dict[str, Array]:
    """A list of dicts, one a row."""
    if not rows:
        raise EmptyBatchError("there are no rows to predict", expected="one row or more")
    names = {item.name for item in signature.inputs}
    for row in rows:
        if not isinstance(row, Mapping):
            raise InputTypeError("a row is not a dict", expected="a dict by input name", found=type(row).__name__)
        if row.keys() != names:
            raise _absent(signature, row) if names - row.keys() else _unknown(signature, row)
    return {item.name: _column(item, [row[item.name] for row in rows]) for item in signature.inputs}


def _from_table(rows: Any, signature: Signature) -> dict[str, Array]:
    """A pandas or polars frame, or an Arrow table; columns that are no inputs are left out."""
    names = getattr(rows, "column_names", getattr(rows, "columns", None))
    if type(rows).__module__.partition(".")[0] not in _SERIES or names is None:
        raise InputTypeError(
            "these rows are of no known kind",
            expected="a pandas, polars or Arrow table, a dict, a list of dicts, or a NumPy array",
            found=type(rows).__name__,
        )
    have = {str(name) for name in names}
    if any(item.name not in have for item in signature.inputs):
        raise _absent(signature, dict.fromkeys(have))
    if not len(rows):
        raise EmptyBatchError("there are no rows to predict", expected="one row or more")
    return {item.name: _column(item, rows[item.name]) for item in signature.inputs}


def _absent(signature: Signature, rows: Mapping[str, Any]) -> InputMissingError:
    absent = [item.name for item in signature.inputs if item.name not in rows]
    return InputMissingError(
        "an input is missing",
        expected=", ".join(item.name for item in signature.inputs),
        found=f"no {', '.join(absent)}"[:500],
    )


def _unknown(signature: Signature, rows: Mapping[str, Any]) -> InputUnknownError:
    names = [item.name for item in signature.inputs]
    extra = sorted(str(name) for name in rows if name not in names)
    return InputUnknownError("an input is not known", expected=", ".join(names), found=", ".join(extra)[:200])


def _type(item: Input, expected: str, found: str) -> InputTypeError:
    return InputTypeError(f"input {item.name} has another type", expected=expected, found=found)
