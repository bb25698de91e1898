"""PostgreSQL: the graph compiled to SQL, over a temporary table. Rows alone are timed as a prepared statement.

The server is that of the environment variable MINTAGE_POSTGRESQL, a libpq URL or connection string; without one, a
private server is started and ended. PostgreSQL's texts cannot hold the character NUL: ``golden.portable_rows`` says
which rows can be asked about, and ``answer`` raises RuntimeFailedError for others.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mintage.errors import RuntimeFailedError
from mintage.model.compile.sql.query import compile_row, compile_sql, free_name, output_columns
from mintage.model.compile.sql.text import quote_name
from mintage.model.golden import portable_rows
from mintage.model.runtimes.base import Answers, Columns, Found, Missing
from mintage.model.runtimes.postgresql_server import find_programs, serve
from mintage.model.runtimes.timing import time_calls
from mintage.model.signature import Signature

__all__ = ["RUNTIME", "SERVER", "PostgreSql"]

SERVER = "MINTAGE_POSTGRESQL"
_LIBRARY = "install psycopg into Mintage's environment: pip install 'mintage[parity]'"
_SERVER = f"install a server (on Debian: apt-get install postgresql), or name a running one in {SERVER}"
_TABLE = "mintage_rows"


class PostgreSql:
    """The runtime ``postgresql``."""

    name = "postgresql"

    def find(self) -> Found | Missing:
        try:
            psycopg = _psycopg()
        except ImportError:
            return Missing("the library psycopg, or libpq, is not installed", _LIBRARY)
        named = os.environ.get(SERVER)
        try:
            if named:
                with psycopg.connect(named, connect_timeout=5) as connection:
                    return Found(f"PostgreSQL {connection.info.parameter_status('server_version')}")
            programs = find_programs()
            if programs is None:
                return Missing("PostgreSQL's server is not installed", _SERVER)
            command = [str(programs / "postgres"), "--version"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        except psycopg.Error as error:
            return Missing(f"the server of {SERVER} does not answer: {str(error).strip()}", "start it, or name another")
        except (OSError, subprocess.SubprocessError) as error:
            return Missing(f"PostgreSQL's server does not start: {error}", _SERVER)
        return Found(done.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL"))

    @contextlib.contextmanager
    def open(self, onnx: bytes, signature: Signature, workdir: Path) -> Iterator[_Session]:
        with contextlib.ExitStack() as stack:
            named, programs = os.environ.get(SERVER), find_programs()
            if not named and programs is None:
                raise RuntimeFailedError("PostgreSQL's server is not installed", hint=_SERVER)
            try:
                psycopg = _psycopg()
            except ImportError as error:
                raise RuntimeFailedError("the library psycopg, or libpq, is not installed", hint=_LIBRARY) from error
            address = named or stack.enter_context(serve(programs))  # type: ignore[arg-type]
            try:
                connection = stack.enter_context(psycopg.connect(address, autocommit=True, client_encoding="UTF8"))
                session = _Session(connection, onnx, signature, psycopg.Error)
            except psycopg.Error as error:
                raise RuntimeFailedError("PostgreSQL did not take the model", found=str(error)[-500:]) from error
            yield session


def _psycopg() -> Any:
    import psycopg

    return psycopg


class _Session:
    """A model as a query; its table lives as long as the connection."""

    def __init__(self, connection: Any, onnx: bytes, signature: Signature, error: type[Exception]) -> None:
        self._connection, self._onnx, self._signature, self._error = connection, onnx, signature, error
        self._key = free_name(signature, "row")
        select = compile_sql(onnx, signature, "postgresql", table=_TABLE, key_columns=[self._key])
        self._query = f"{select}ORDER BY {quote_name(self._key)}"
        self._prepared = False
        types = {"FP64": "float8", "BYTES": "text"}
        items = [f"{quote_name(item.name)} {types[item.datatype]}" for item in signature.inputs]
        connection.execute("SET jit = off")  # it may take minutes over a long query
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(f"CREATE TEMPORARY TABLE {_TABLE} ({', '.join([f'{quote_name(self._key)} int8', *items])})")

    def answer(self, columns: Columns, *, timed: int = 0) -> Answers:
        held = portable_rows(columns)
        if not held.all():
            raise RuntimeFailedError(
                "a text with the character NUL, which PostgreSQL cannot hold",
                where=f"row {int(np.argmin(held))}",
                hint="leave such rows out: nobody can ask PostgreSQL about them",
            )
        names = [item.name for item in self._signature.inputs]
        rows = list(zip(*(columns[name].tolist() for name in names), strict=True))
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {_TABLE}")
                with cursor.copy(f"COPY {_TABLE} FROM STDIN") as copy:
                    for place, row in enumerate(rows):
                        copy.write_row((place, *row))
                found = cursor.execute(self._query, binary=True).fetchall()
            times = self._time(rows[:timed], timed) if timed else []
        except self._error as error:
            raise RuntimeFailedError("PostgreSQL did not answer", found=str(error)[-500:]) from error
        return _answers(found, self._signature, times)

    def _time(self, rows: list[tuple[Any, ...]], timed: int) -> list[float]:
        server = self._connection.pgconn
        if not self._prepared:
            _check(server.prepare(b"one", compile_row(self._onnx, self._signature, "postgresql").encode()))
            self._prepared = True
        spelled = [[_spell(value) for value in row] for row in rows]
        return time_calls(lambda row: _check(server.exec_prepared(b"one", row)), spelled, timed)


def _spell(value: Any) -> bytes | None:
    """A parameter as the protocol's text."""
    if value is None:
        return None
    return value.encode() if isinstance(value, str) else repr(value).encode()


def _check(result: Any) -> None:
    from psycopg import pq

    if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        raise RuntimeFailedError("PostgreSQL did not answer", found=result.error_message.decode(errors="replace"))


def _answers(found: list[tuple[Any, ...]], signature: Signature, times: list[float]) -> Answers:
    """The query's columns by their datatype; a missing value is NaN, a missing label -1."""
    columns = output_columns(signature)
    parts: dict[str, list[list[Any]]] = {"FP64": [], "INT64": []}
    for place, (_, datatype) in enumerate(columns, 1):  # the key is before them
        missing = np.nan if datatype == "FP64" else -1
        parts[datatype].append([missing if row[place] is None else row[place] for row in found])
    rows = len(found)
    values = np.array(parts["FP64"], dtype=np.float64).reshape(-1, rows).T
    labels = np.array(parts["INT64"], dtype=np.int64).reshape(-1, rows).T
    return Answers(np.ascontiguousarray(values), np.ascontiguousarray(labels), times)


RUNTIME = PostgreSql()
