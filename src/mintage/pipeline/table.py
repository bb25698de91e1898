"""Tables that stages write or read, Parquet or CSV, as models and checks take them.

Numbers are float64 with NaN for null, texts object arrays of str or None. A declared input that is absent or has
another type is an error that names the file. A CSV file says nothing of types: an input that is declared a
text is read as one, others as what their values are. An empty field is missing, and so is ``NaN``, ``NA`` or ``null``
among numbers, but not among texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mintage.errors import DataError
from mintage.repo.modelfile import ModelSpec

__all__ = ["SUFFIXES", "input_columns", "labels_of", "numbers_of", "plain_column", "plain_kinds", "read_table"]

SUFFIXES = (".parquet", ".csv")


def read_table(path: Path, *, spec: ModelSpec | None, where: str) -> Any:
    """The table in the file ``path``, which is named ``where`` in the project; raises DataError.

    Without ``spec`` the types of a CSV file's columns are those that its values suggest.
    """
    suffix = Path(where).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            "not a table that can be read",
            expected=" or ".join(SUFFIXES),
            found=suffix or "a name without a suffix",
            where=where,
            hint="let the stage write Parquet or CSV, or name another file under `data:` of the model file",
        )
    try:
        return _read_csv(path, spec) if suffix == ".csv" else _read_parquet(path)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            "the table cannot be read",
            expected=f"a {suffix[1:]} file" + (" with the declared types" if spec is not None else ""),
            found=str(error).splitlines()[0][:300],
            where=where,
        ) from error


def _read_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _read_csv(path: Path, spec: ModelSpec | None) -> Any:
    from pyarrow import csv

    declared = {} if spec is None else spec.inputs
    texts = {name: pa.string() for name, column in declared.items() if column.type == "string"}
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=texts))
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field.name, _empty_is_missing(table.column(place)))
        elif pa.types.is_null(field.type):  # no row has a value
            table = table.set_column(place, field.name, table.column(place).cast(pa.float64()))
    return table


def _empty_is_missing(column: Any) -> Any:
    from pyarrow import compute

    return compute.if_else(compute.equal(column, ""), pa.scalar(None, pa.string()), column)


def input_columns(table: pa.Table, spec: ModelSpec, *, where: str) -> dict[str, NDArray[Any]]:
    """The declared inputs of a model out of ``table``."""
    found = {}
    for name, declared in spec.inputs.items():
        column = _column(table, name, where=where)
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
            text = True
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or _is_bool(column)
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


def labels_of(
    table: pa.Table, spec: ModelSpec, *, where: str, classes: Sequence[str | bool | int | float] = (0, 1)
) -> NDArray[np.int64]:
    """The target column of a classifier with one target: the place of each label among the ``classes`` that the model
    was fitted on; raises DataError where it is none of them."""
    (target,) = spec.targets
    column = _labelled(table, target, where=where)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    values = np.asarray(column.to_pylist(), dtype=object) if text else column.to_numpy(zero_copy_only=False)
    places = np.full(len(values), -1, dtype=np.int64)
    for place, known in enumerate(classes):
        if isinstance(known, str) == text:
            places[np.asarray(values == known, dtype=bool)] = place
    if (places < 0).any():
        names = [str(known) for known in classes[:20]]
        raise DataError(
            f"labels must be {', '.join(names[:-1])} or {names[-1]}",
            found=", ".join(sorted(map(str, set(values[places < 0].tolist())))[:5]),
            where=f"{where}, column {target}",
        )
    return places


def numbers_of(table: pa.Table, spec: ModelSpec, *, where: str) -> NDArray[np.float64]:
    """The target column of a regression with one target; raises DataError where it is no finite number."""
    (target,) = spec.targets
    column = _labelled(table, target, where=where)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise DataError(
            "labels of a regression must be numbers", found=str(column.type), where=f"{where}, column {target}"
        )
    values = _values(column, text=False)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise DataError(
            f"{len(bad)} labels are no finite numbers",
            found=f"{values[bad[0]]} in row {bad[0]}",
            where=f"{where}, column {target}",
        )
    return np.asarray(values, dtype=np.float64)


def _labelled(table: pa.Table, target: str, *, where: str) -> Any:
    column = _column(table, target, where=where)
    if column.null_count:
        raise DataError(f"{column.null_count} rows have no label", where=f"{where}, column {target}")
    return column


def plain_kinds(table: Any) -> dict[str, NDArray[Any]]:
    """All columns of numbers and texts, as inputs would be; others are left out."""
    found = {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if text or pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or _is_bool(column):
            found[name] = _values(column, text=text)
    return found


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
    if _is_bool(column):
        column = column.cast(pa.int8())
    return np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _is_bool(column: Any) -> bool:
    return bool(pa.types.is_boolean(column.type))
