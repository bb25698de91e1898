"""Turn what SQLite raises into errors that say what happened to which file, and what to do.

What a user can meet is translated: a lock held too long, a damaged file, a file that cannot be opened or written.
Wrong SQL and broken constraints stay what they are, mistakes of ours; but where the SQL is known to be right
(``damaged_otherwise``), they too mean that the file is not what it was. So does text in it that is not UTF-8, on which
Python stumbles before SQLite can tell.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from mintage.errors import DatabaseCorruptError, DatabaseLockedError, DatabaseUnusableError

__all__ = ["database_path", "translated"]

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}


def database_path(connection: sqlite3.Connection) -> str:
    """The file of a connection's main database, for messages; empty in memory."""
    try:
        row = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


@contextlib.contextmanager
def translated(where: str, *, damaged_otherwise: bool = False) -> Iterator[None]:
    """Raise DatabaseLockedError, DatabaseCorruptError or DatabaseUnusableError for what SQLite raises inside."""
    try:
        yield
    except UnicodeDecodeError as error:
        if not damaged_otherwise:
            raise
        raise _damaged(str(error), where) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _LOCKED:
            raise DatabaseLockedError(
                "another process keeps the database locked",
                found=str(error),
                where=where,
                hint="wait for the other mintage command to end, then run this one again",
            ) from error
        if code in _UNUSABLE:
            raise DatabaseUnusableError(
                "the database cannot be opened or written",
                found=str(error),
                where=where,
                hint="check that the folder is there, that you may write to it, and that the disk is not full",
            ) from error
        if code in _DAMAGED or damaged_otherwise:
            raise _damaged(str(error), where) from error
        raise


def _damaged(found: str, where: str) -> DatabaseCorruptError:
    return DatabaseCorruptError(
        "the database file is damaged",
        expected="a whole SQLite database",
        found=found,
        where=where,
        hint="keep the file as evidence, and put back a copy of it from before",
    )
