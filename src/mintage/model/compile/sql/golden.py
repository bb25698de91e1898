"""A script that proves the SQL of a model in a database: golden rows, their answers, and how many differ.

Its last statement gives one row: how many rows were compared, and how many of them differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mintage.model.compile.sql.query import compile_sql, free_name, output_columns
from mintage.model.compile.sql.text import Dialect, number, quote_name, quote_text
from mintage.model.golden import Golden, portable_rows
from mintage.model.signature import Signature

__all__ = ["golden_script"]

_TYPES = {"FP64": "float8", "BYTES": "text", "INT64": "bigint"}


def golden_script(onnx: bytes, signature: Signature, dialect: Dialect, *, golden: Golden) -> str:
    """The script. PostgreSQL's leaves out rows that it cannot hold."""
    key = free_name(signature, "row")
    count = len(golden.values)
    held = portable_rows(golden.columns) if dialect == "postgresql" else np.ones(count, dtype=bool)
    places = np.flatnonzero(held).tolist()
    inputs = [(key, "INT64"), *((item.name, item.datatype) for item in signature.inputs)]
    columns = [golden.columns[item.name].tolist() for item in signature.inputs]
    answers = [(key, "INT64"), *((f"{_short(datatype)}{place}", datatype) for place, datatype in _places(signature))]
    select = compile_sql(onnx, signature, dialect, table="golden_rows", key_columns=[key])
    rows = ([place, *(column[place] for column in columns)] for place in places)
    expected = ([place, *golden.values[place].tolist(), *map(int, golden.labels[place])] for place in places)
    ordered = sorted(answers[1:], key=lambda item: item[1] != "FP64")  # golden has values, then labels
    return "".join(
        (
            _table("golden_rows", inputs, rows, dialect),
            _table("golden_answers", [answers[0], *ordered], expected, dialect),
            f"SELECT count(*) AS compared, coalesce(sum(CASE WHEN {_same(signature, golden.tolerance, dialect)} "
            f"THEN 0 ELSE 1 END), 0) AS differing\nFROM golden_answers AS expected\nLEFT JOIN (\n{select}) AS found "
            f"ON found.{quote_name(key)} = expected.{quote_name(key)};\n",
        )
    )


def _places(signature: Signature) -> list[tuple[int, str]]:
    return [(place, datatype) for place, (_, datatype) in enumerate(output_columns(signature))]


def _short(datatype: str) -> str:
    return "value_" if datatype == "FP64" else "label_"


def _same(signature: Signature, tolerance: float, dialect: Dialect) -> str:
    """Whether a row has the golden answers: NULL, which nothing is equal to, counts as different."""
    one, limit = number(1.0, dialect), number(tolerance, dialect)
    parts = []
    for place, (name, datatype) in enumerate(output_columns(signature)):
        found, wanted = f"found.{quote_name(name)}", f"expected.{quote_name(f'{_short(datatype)}{place}')}"
        if datatype == "FP64":
            parts.append(f"abs({found} - {wanted}) <= {limit} * greatest({one}, abs({wanted}))")
        else:
            parts.append(f"{found} = {wanted}")
    return "\n  AND ".join(parts)


def _table(name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], dialect: Dialect) -> str:
    spelled = ", ".join(f"{quote_name(column)} {_TYPES[datatype]}" for column, datatype in columns)
    values = ",\n".join(f"({', '.join(_spell(value, dialect) for value in row)})" for row in rows)
    made = f"CREATE TEMPORARY TABLE {name} ({spelled});\n"
    fill = f"INSERT INTO {name} VALUES\n{values};\n"
    return made + fill if values else made


def _spell(value: Any, dialect: Dialect) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return quote_text(value)
    return number(value, dialect) if isinstance(value, float) else str(value)
