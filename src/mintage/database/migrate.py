"""Bring a database's tables up to date, by the numbered files in ``migrations``.

Each file is applied once, in order, all of it or none; the number of the last one stands in SQLite's ``user_version``.
Of two processes that open a new file at once, one applies them and the other finds them applied. A file once released
is never changed: a change is a new file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mintage.errors import DatabaseUnusableError

__all__ = ["audit_triggers", "migrate"]

_FOLDER = Path(__file__).parent / "migrations"


def migrate(connection: sqlite3.Connection, *, where: str) -> None:
    """Apply what is not applied yet.

    Raises DatabaseUnusableError for a database of a newer Mintage, and what SQLite raises when the tables do not fit
    the version that the database says it has.
    """
    files = _files()
    if _version(connection) == len(files):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if not 0 <= version <= len(files):
            raise DatabaseUnusableError(
                "the database was written by a newer Mintage",
                expected=f"version {len(files)} or older",
                found=f"version {version}",
                where=where,
                hint="update Mintage",
            )
        for path in files[version:]:
            for statement in _statements(path.read_text(encoding="utf-8")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(files)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@cache
def audit_triggers() -> dict[str, str]:
    """Name and SQL of the triggers that guard the audit tables, as the migrations make them."""
    triggers = {}
    for path in _files():
        for statement in _statements(path.read_text(encoding="utf-8")):
            words = statement.split()
            if words[:2] == ["CREATE", "TRIGGER"] and words[2].startswith("audit_"):
                triggers[words[2]] = statement.rstrip().removesuffix(";")
    return triggers


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@cache
def _files() -> tuple[Path, ...]:
    return tuple(sorted(_FOLDER.glob("[0-9][0-9][0-9]_*.sql")))


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, without the comment lines between them; a trigger's body is one with its head."""
    pending = ""
    for line in script.splitlines(keepends=True):
        if not pending and (not line.strip() or line.startswith("--")):
            continue
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
