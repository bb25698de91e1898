"""Remember digests of files by their stat, so that an unchanged file is not read again.

A file's digest is taken from the cache only if device, inode, size, mtime and ctime are those of when it was hashed and
the mtime lay two seconds before that (a change within a clock tick could hide: Git's racy-clean rule). The cache is a
SQLite file that may be deleted at any time; one that is damaged is begun anew.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

import msgspec

from mintage.record.digest import blake3_bytes, blake3_file
from mintage.record.manifest import DataManifest, Entry, encode_manifest
from mintage.store.local import files_under

__all__ = ["StatCache"]

_RACY_NS = 2_000_000_000
_EXPECTED = "SELECT asked.value, mark, digest FROM json_each(?) AS asked LEFT JOIN stat ON stat.path = asked.value"


class StatCache:
    """Digests by path; a context manager that writes what it learned when it closes."""

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = _open(database)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise OSError(errno.EIO, str(error), str(database)) from error
            for suffix in ("", "-wal", "-shm"):
                database.with_name(database.name + suffix).unlink(missing_ok=True)
            self._connection = _open(database)
        self._learned: dict[str, tuple[str, str]] = {}
        self._rows: dict[str, tuple[str, str] | None] = {}
        self.read: Callable[[Path], str] = blake3_file
        """How a file is read for its digest."""

    def __enter__(self) -> StatCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()
        self._connection.close()

    def flush(self) -> None:
        """Write what was learned since the last flush."""
        if self._learned:
            rows = [(path, mark, digest) for path, (mark, digest) in self._learned.items()]
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO stat VALUES (?, ?, ?)", rows)
            self._connection.execute("COMMIT")
            self._rows |= self._learned
            self._learned.clear()

    def expect(self, paths: Iterable[str]) -> None:
        """Look up at once what is known of the files at ``paths``, which will be asked for one by one."""
        names = [path for path in paths if path not in self._rows]
        rows = self._connection.execute(_EXPECTED, (_listed(names),))
        self._rows |= {path: None if mark is None else (mark, digest) for path, mark, digest in rows}

    def file_digest(self, path: str | Path) -> str:
        """The BLAKE3 id of a file, read only if its stat changed."""
        return self._digest(os.fspath(path), os.stat(path))  # noqa: PTH116 as text: faster

    def _digest(self, path: str, status: os.stat_result) -> str:
        if (known := self._known(path, status)) is not None:
            return known
        now = time.time_ns()
        digest = self.read(Path(path))
        if max(status.st_mtime_ns, status.st_ctime_ns) < now - _RACY_NS:
            self._learned[path] = (_mark(status), digest)
        return digest

    def known_digest(self, path: Path) -> str | None:
        """The BLAKE3 id of a file if it is known without a read."""
        return self._known(str(path), path.stat())

    def same_as(self, link: Path, source: Path) -> None:
        """Remember of ``link``, which leads to ``source``, what is known of that: it is not read once more."""
        if (known := self.known_digest(source)) is not None:
            self._learned[str(link)] = (_mark(source.stat()), known)

    def _known(self, path: str, status: os.stat_result) -> str | None:
        known = self._learned.get(path) or self._looked_up(path)
        return known[1] if known is not None and known[0] == _mark(status) else None

    def _looked_up(self, key: str) -> tuple[str, str] | None:
        """Mark and digest as the database had them; a file that many stages name is looked up once."""
        if key not in self._rows:
            query = "SELECT mark, digest FROM stat WHERE path = ?"
            self._rows[key] = self._connection.execute(query, (key,)).fetchone()
        return self._rows[key]

    def manifest(self, folder: Path) -> DataManifest:
        """The data manifest of a folder, unchanged files not read."""
        entries = [
            Entry(
                path=path.relative_to(folder).as_posix(),
                digest=self._digest(str(path), status := path.stat()),
                size=status.st_size,
                executable=bool(status.st_mode & 0o100),
            )
            for path in files_under(folder)
        ]
        return DataManifest(entries=tuple(sorted(entries, key=lambda entry: entry.path)))

    def digest(self, path: Path) -> tuple[str, int, bool]:
        """Digest, size in bytes and whether it is a folder, of a file or a folder."""
        return self._digest_of(str(path), path.stat())

    def find(self, path: str | Path) -> tuple[str, int, bool] | None:
        """As ``digest``; None if nothing is there."""
        try:
            status = os.stat(path)  # noqa: PTH116 with a text that is faster than a path
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise
        return self._digest_of(os.fspath(path), status)

    def _digest_of(self, path: str, status: os.stat_result) -> tuple[str, int, bool]:
        if stat.S_ISDIR(status.st_mode):
            manifest = self.manifest(Path(path))
            return blake3_bytes(encode_manifest(manifest)), manifest.size, True
        return self._digest(path, status), status.st_size, False

    def result(self, key: str) -> str | None:
        """What was remembered under a cache key."""
        row = self._connection.execute("SELECT value FROM result WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def results(self, keys: Iterable[str]) -> dict[str, str]:
        """What was remembered, of those cache keys of which something was, looked up at once."""
        query = "SELECT result.key, result.value FROM json_each(?) AS asked JOIN result ON result.key = asked.value"
        return dict(self._connection.execute(query, (_listed(keys),)).fetchall())

    def remember(self, key: str, value: str) -> None:
        """Remember a value under a cache key."""
        self._connection.execute("INSERT OR REPLACE INTO result VALUES (?, ?)", (key, value))


def _listed(names: Iterable[str]) -> str:
    """As SQLite takes a list."""
    return msgspec.json.encode(list(names)).decode()


def _mark(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def _open(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=10, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS stat (path TEXT PRIMARY KEY, mark TEXT, digest TEXT)")
        connection.execute("CREATE TABLE IF NOT EXISTS result (key TEXT PRIMARY KEY, value TEXT)")
    except BaseException:
        connection.close()
        raise
    return connection
