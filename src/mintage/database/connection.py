"""Open the database and change it in one transaction.

``open_database(path)`` creates the file when it is not there, brings its tables up to date, and returns a connection in
autocommit mode: nothing is held open between statements, and what belongs together goes inside ``transaction``.
Several processes may use the file at once (write-ahead log). Every commit is on disk before it returns
(``synchronous=FULL``): a published audit checkpoint must never be newer than what a power cut leaves.

>>> connection = open_database(Path(":memory:"))
>>> with transaction(connection):
...     _ = connection.execute("INSERT INTO runs VALUES ('r1', 'run', 'train', 'done', NULL, '', NULL, NULL, NULL)")
>>> connection.execute("SELECT id FROM runs").fetchone()
('r1',)
>>> connection.close()
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from mintage.database.failure import database_path, translated
from mintage.database.migrate import migrate
from mintage.errors import DatabaseUnusableError

__all__ = ["open_database", "transaction"]

_WAIT_S = 10.0


def open_database(path: Path, *, wait_s: float = _WAIT_S) -> sqlite3.Connection:
    """A connection to the database at ``path``, its tables up to date; ``wait_s`` is how long to wait for a lock.

    Raises DatabaseUnusableError, DatabaseLockedError or DatabaseCorruptError, each with the file.
    """
    where = str(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusableError("the database's folder cannot be made", found=str(error), where=where) from error
    with translated(where):
        connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
    try:
        with translated(where, damaged_otherwise=True):
            _use_write_ahead_log(connection, wait_s=wait_s)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA recursive_triggers=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
            migrate(connection, where=where)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All that is written inside, or, when anything raises, none of it.

    The write lock is taken at once (``BEGIN IMMEDIATE``), so that what is read inside stays true until the end.
    Transactions do not nest: the outermost caller owns it, the functions it calls only write.
    """
    if connection.in_transaction:
        raise sqlite3.ProgrammingError("a transaction is open already; write inside it instead of opening another")
    where = database_path(connection)
    with translated(where):
        connection.execute("BEGIN IMMEDIATE")
    try:
        with translated(where):
            yield connection
            connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _use_write_ahead_log(connection: sqlite3.Connection, *, wait_s: float) -> None:
    """Switch to the write-ahead log. SQLite does not wait for other openers of a new file here, so this does."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
