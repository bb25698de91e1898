"""DuckDB: the graph compiled to SQL, over an Arrow table. Rows alone are timed as a prepared statement."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mintage.errors import RuntimeFailedError
from mintage.model.compile.sql.query import compile_row, compile_sql, free_name, output_columns
from mintage.model.compile.sql.text import number, quote_name, quote_text
from mintage.model.golden import portable_rows
from mintage.model.runtimes.base import Answers, Columns, Found, Missing
from mintage.model.runtimes.timing import time_calls
from mintage.model.signature import Signature

__all__ = ["RUNTIME", "DuckDb"]

_HINT = "install duckdb into Mintage's environment: pip install 'mintage[parity]'"


class DuckDb:
    """The runtime ``duckdb``."""

    name = "duckdb"

    def find(self) -> Found | Missing:
        import importlib.metadata

        try:
            return Found(f"duckdb {importlib.metadata.version('duckdb')}")
        except importlib.metadata.PackageNotFoundError:
            return Missing("the library duckdb is not installed", _HINT)

    @contextlib.contextmanager
    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> Iterator[_Session]:
        try:
            import duckdb
        except ImportError as error:
            raise RuntimeFailedError("the library duckdb is not installed", hint=_HINT) from error
        with duckdb.connect(":memory:") as connection:
            yield _Session(connection, onnx, signature, duckdb.Error)


class _Session:
    """A model as a query."""

    def __init__(self, connection: Any, onnx: bytes, signature: Signature, error: type[Exception]) -> None:
        self._connection, self._onnx, self._signature, self._error = connection, onnx, signature, error
        self._key = free_name(signature, "row")
        select = compile_sql(onnx, signature, "duckdb", table="rows", key_columns=[self._key])
        self._query = f"{select}ORDER BY {quote_name(self._key)}"
        self._prepared = False

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        import pyarrow as pa

        rows = len(next(iter(columns.values())))
        arrays: dict[str, Any] = {self._key: pa.array(np.arange(rows))}
        for item in self._signature.inputs:
            text = item.datatype == "BYTES"
            arrays[item.name] = pa.array(columns[item.name], type=pa.string() if text else pa.float64())
        try:
            self._connection.register("rows", pa.table(arrays))
            found = self._connection.execute(self._query).fetchnumpy()
            times = self._time(columns, timed) if timed and rows else []
        except self._error as error:
            raise RuntimeFailedError("DuckDB did not answer", found=str(error)[-500:]) from error
        return _answers(found, self._signature, rows, times)

    def _time(self, columns: Columns, timed: int) -> list[float]:
        if not self._prepared:
            self._connection.execute(f"PREPARE one AS {compile_row(self._onnx, self._signature, 'duckdb')}")
            self._prepared = True
        held = np.flatnonzero(portable_rows(columns))[:timed].tolist()  # a literal holds no NUL here either
        names = [item.name for item in self._signature.inputs]
        rows = [", ".join(_spell(columns[name][place]) for name in names) for place in held]
        calls = [f"EXECUTE one({row})" for row in rows]
        return time_calls(lambda call: self._connection.execute(call).fetchall(), calls, timed)


def _spell(value: Any) -> str:
    if value is None:
        return "NULL"
    return quote_text(value) if isinstance(value, str) else number(float(value), "duckdb")


def _answers(found: Any, signature: Signature, rows: int, times: list[float]) -> Answers:
    """The query's columns by their datatype; a missing value is NaN, a missing label -1."""
    columns: dict[str, list[Any]] = {"FP64": [np.empty((rows, 0))], "INT64": [np.empty((rows, 0), dtype=np.int64)]}
    for name, datatype in output_columns(signature):
        column = np.ma.filled(found[name], np.nan if datatype == "FP64" else -1)
        columns[datatype].append(column.reshape(rows, 1))
    values, labels = (np.concatenate(parts, axis=1) for parts in columns.values())
    return Answers(values, labels, times)


RUNTIME = DuckDb()
