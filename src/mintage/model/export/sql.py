"""The export for a database: a view, a prepared statement and a test, in DuckDB's SQL and in PostgreSQL's.

See docs/spec/export-sql.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from mintage.model.compile.sql.golden import golden_script
from mintage.model.compile.sql.query import compile_row, compile_view, free_name, output_columns
from mintage.model.compile.sql.text import Dialect, quote_name
from mintage.model.export.golden_json import resource, template_text
from mintage.model.golden import portable_rows
from mintage.model.package import Package
from mintage.model.signature import Input, Signature

__all__ = ["EXPORT", "Sql"]

_JIT: Mapping[str, str] = {"duckdb": "", "postgresql": "SET jit = off;\n"}
_TYPES = {"FP64": "float8", "BYTES": "text", "INT64": "bigint"}


class Sql:
    """The export ``sql``."""

    name = "sql"
    about = "a database: the model as a view and as a prepared statement, for DuckDB and PostgreSQL"

    def files(self, package: Package) -> Mapping[str, bytes]:
        found = {"CARD.md": package.files["CARD.md"], "README.md": _readme(package).encode()}
        onnx, signature = package.files["model.onnx"], package.signature
        for dialect in get_args(Dialect):
            view = compile_view(
                onnx, signature, dialect, view=_view(signature), table=_table(signature), key_columns=[_key(signature)]
            )
            one = f"PREPARE {quote_name(signature.model)} AS\n{compile_row(onnx, signature, dialect)};\n"
            test = golden_script(onnx, signature, dialect, golden=package.golden)
            about = f"-- A model of Mintage, {package.root}. See README.md.\n"
            found[f"predict.{dialect}.sql"] = f"{about}{view}".encode()
            found[f"one.{dialect}.sql"] = f"{about}{_JIT[dialect]}{one}".encode()
            found[f"golden.{dialect}.sql"] = f"{about}{_JIT[dialect]}{test}".encode()
        return found


def _view(signature: Signature) -> str:
    return f"{signature.model}_predictions"


def _table(signature: Signature) -> str:
    return f"{signature.model}_rows"


def _key(signature: Signature) -> str:
    """The column that names a row; it may be an input too, but no output."""
    name = signature.id or "id"
    taken = {output.lower() for output, _ in output_columns(signature)}
    return free_name(signature, name) if name.lower() in taken else name


def _readme(package: Package) -> str:
    signature = package.signature
    left_out = int((~portable_rows(package.golden.columns)).sum())
    note = f"\nPostgreSQL's test leaves out {left_out} golden rows: their texts hold the character NUL.\n"
    return template_text(
        resource("sql_files", "README.md.txt").decode(),
        model=signature.model,
        root=package.root,
        left_out=note if left_out else "",
        table=_code(_table(signature)),
        view=_code(_view(signature)),
        key=_code(_key(signature)),
        statement=quote_name(signature.model),
        parameters=", ".join(_example(item, package) for item in signature.inputs),
        inputs="\n".join(
            f"| {_code(item.name)} | {_TYPES[item.datatype]} | {_about(item)} |" for item in signature.inputs
        ),
        outputs="\n".join(f"| {_code(name)} | {_TYPES[datatype]} |" for name, datatype in output_columns(signature)),
    )


def _code(name: str) -> str:
    """A name within a table of Markdown."""
    return "`" + " ".join(name.replace("`", "'").replace("|", "\\|").split()) + "`"


def _about(item: Input) -> str:
    parts = [item.unit or "", item.about or "", "" if item.nullable else "never NULL"]
    return " ".join("; ".join(part for part in parts if part).replace("|", "\\|").split())


def _example(item: Input, package: Package) -> str:
    """The first value of a golden row, short ones only."""
    values: list[Any] = package.golden.columns[item.name].tolist()
    for value in values:
        if item.datatype == "FP64" and value == value:  # noqa: PLR0124 NaN
            return repr(value)
        if item.datatype == "BYTES" and value and value.isalnum() and value.isascii():
            return f"'{value}'"
    return "NULL"


EXPORT = Sql()
