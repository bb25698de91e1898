"""Score a file of rows with one model, past any release: the same checks as a request, and no log.

``scored_tables`` gives the file's columns with the model's outputs behind them, chunk by chunk, so that memory is
bounded. One row that the model does not take is an error, with which row it is; rows are counted from 1.

>>> error = DataError("input age must not be null", where="row 4")
>>> locate(error, where="rows.csv", first_row=101)
>>> error.where
'rows.csv, row 105'
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from mintage.errors import BatchFileError, DataError
from mintage.model.runtime import stack
from mintage.model.signature import Signature
from mintage.model.tables import encode_columns
from mintage.serve.outputs import class_name
from mintage.serve.routes import Served
from mintage.serve.unusual import unusual_rows

__all__ = ["ARROW_KINDS", "Scored", "added_fields", "check_columns", "locate", "scored_schema", "scored_tables"]

ARROW_KINDS: dict[type, pa.DataType] = {np.float64: pa.float64(), np.int64: pa.int64(), object: pa.string()}
_ROW = re.compile(r"row (\d+)")


@dataclass(kw_only=True)
class Scored:
    """What was done so far: rows, and by input how many values were unusual and the row of the first."""

    rows: int = 0
    unusual: dict[str, tuple[int, int]] = field(default_factory=dict)


def locate(error: DataError, *, where: str, first_row: int) -> None:
    """Say which row of the file an error of a chunk is about, if it names one; the chunk begins at ``first_row``."""
    found = _ROW.fullmatch(error.where or "")
    if found:
        error.where = f"{where}, row {first_row + int(found[1])}"
    elif not error.where or not error.where.startswith(where):
        error.where = where if error.where is None else f"{where}: {error.where}"


def check_columns(names: list[str], signature: Signature, *, added: list[str], needs_id: bool, where: str) -> None:
    """Raise BatchFileError if the file lacks a column, or has one that the output adds."""
    needed = [item.name for item in signature.inputs] + ([signature.id] if needs_id and signature.id else [])
    missing = [name for name in needed if name not in names]
    if missing:
        more = len(missing) - 1
        raise BatchFileError(
            f"column {missing[0]!r} is missing" + (f", and {more} more" if more else ""),
            expected=", ".join(needed),
            found=", ".join(names)[:500],
            where=where,
        )
    if len(set(names)) != len(names):
        raise BatchFileError("a column name comes twice", found=", ".join(names)[:500], where=where)
    taken = [name for name in added if name in names]
    if taken:
        raise BatchFileError(
            f"the file already has a column {taken[0]!r}, which the output adds",
            where=where,
            hint="rename it, or score the file from before it was scored",
        )


def added_fields(served: Served) -> tuple[tuple[str, type], ...]:
    """The columns that the output adds, with their types; of two classes also their names, unless they are 0 and 1."""
    return (*served.outputs.fields, ("class", object)) if _has_names(served) else served.outputs.fields


def _has_names(served: Served) -> bool:
    return served.outputs.is_scored and tuple(map(class_name, served.signature.two_classes)) != ("0", "1")


def scored_schema(schema: pa.Schema, served: Served) -> pa.Schema:
    """The columns of the output."""
    return pa.schema([*schema, *((name, ARROW_KINDS[kind]) for name, kind in added_fields(served))])


def scored_tables(
    chunks: Iterator[pa.Table], served: Served, schema: pa.Schema, *, where: str, done: Scored
) -> Iterator[pa.Table]:
    """The chunks with the model's outputs; ``done`` is kept up to date. Raises the model's DataErrors with the row."""
    for chunk in chunks:
        if chunk.num_rows == 0:
            continue
        try:
            columns = encode_columns(chunk, served.signature)
            prediction = served.predict(columns)
        except DataError as error:
            locate(error, where=where, first_row=done.rows + 1)
            raise
        answer = stack(prediction.outputs)
        given = dict(served.outputs.columns(answer.values, answer.labels))
        if _has_names(served):
            names = np.array([class_name(value) for value in served.signature.two_classes], dtype=object)
            given["class"] = names[answer.labels[:, 0]]
        fields = added_fields(served)
        added = [pa.array(given[name], type=ARROW_KINDS[kind], from_pandas=True) for name, kind in fields]
        _count_unusual(prediction.flags, columns, served.signature, done)
        done.rows += chunk.num_rows
        yield pa.table([*chunk.columns, *added], schema=schema)


def _count_unusual(flags: Mapping[str, int], columns: Mapping[str, Any], signature: Signature, done: Scored) -> None:
    for item in signature.inputs:
        count = flags.get(item.name)
        if not count:
            continue
        before, first = done.unusual.get(item.name, (0, None))
        if first is None:
            first = done.rows + 1 + int(np.argmax(unusual_rows(item, columns[item.name])))
        done.unusual[item.name] = (before + count, first)
