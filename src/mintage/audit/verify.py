"""Verify an audit log: hash every entry again, rebuild the tree, and hold it against every checkpoint.

Nothing stored is believed: leaf hashes and nodes are computed anew and compared, each checkpoint's signature is
checked and its root compared with that of the entries it covers, so that checkpoints agree with one another as well. A
published checkpoint finds what the database alone cannot show: that all of it was put back to an earlier state or
rewritten. One pass over the rows; memory grows with the checkpoints only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from mintage.audit.checkpoint import Checkpoint, CheckpointKey, open_checkpoint
from mintage.audit.events import entry_number
from mintage.audit.merkle import EMPTY_ROOT, leaf_hash, node_hash
from mintage.database.failure import database_path, translated
from mintage.database.migrate import audit_triggers
from mintage.errors import AuditEventError, AuditLogBrokenError, CheckpointInvalidError

__all__ = ["AuditReport", "Problem", "read_published", "verify_log"]

_MOST_PROBLEMS = 20


class Problem(msgspec.Struct, frozen=True):
    """One thing that does not verify: where in the log, and what is wrong."""

    at: str
    message: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found. ``covered`` is how many entries the newest valid checkpoint vouches for; entries after it
    are only protected by the database. ``root`` is the hex of the tree's root; at most 20 problems are listed."""

    where: str
    origin: str
    entries: int
    root: str
    checkpoints: int
    covered: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything verifies."""
        return not self.problems

    def require_ok(self) -> None:
        """Raise AuditLogBrokenError, naming the database and the first problem, unless everything verifies."""
        if self.problems:
            first = self.problems[0]
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            raise AuditLogBrokenError(
                "the audit log does not verify",
                expected=f"{self.entries} entries, unchanged since they were written",
                found=f"{first.at}: {first.message}{more}",
                where=self.where,
                hint="keep the database as evidence, and compare with the published checkpoints",
            )


def verify_log(connection: sqlite3.Connection, key: CheckpointKey, *, published: Path | None = None) -> AuditReport:
    """Verify the log in ``connection`` with its public key, and the copy of its checkpoint in ``published``.

    Raises DatabaseCorruptError if SQLite cannot read the file; everything else is a problem in the report.
    """
    where = database_path(connection)
    with translated(where, damaged_otherwise=True):
        walk = _Walk(connection, key)
        owned = not connection.in_transaction
        if owned:
            connection.execute("BEGIN")
        try:
            walk.check_tables()
            walk.check_entries()
            walk.check_rest(published)
        finally:
            if owned and connection.in_transaction:
                connection.execute("COMMIT")
    return AuditReport(
        where=where,
        origin=key.origin,
        entries=walk.size,
        root=walk.root().hex(),
        checkpoints=walk.checkpoints,
        covered=walk.covered,
        problems=tuple(walk.problems),
    )


def read_published(path: Path, key: CheckpointKey) -> Checkpoint | None:
    """The checkpoint in a published file, None if there is no file; raises CheckpointInvalidError."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CheckpointInvalidError(
            "the published checkpoint cannot be read", found=str(error), where=str(path)
        ) from error
    return open_checkpoint(data, key, where=str(path))


class _Walk:
    """One pass over the log. ``peaks`` are the roots of the complete subtrees so far, the largest first."""

    def __init__(self, connection: sqlite3.Connection, key: CheckpointKey) -> None:
        self._connection = connection
        self._key = key
        self._nodes: dict[int, Iterator[tuple[object, object]]] = {}
        self._computed = 0
        self._roots: dict[int, bytes] = {}
        self.peaks: list[tuple[int, bytes]] = []
        self.problems: list[Problem] = []
        self.size = self.checkpoints = self.covered = 0

    def root(self) -> bytes:
        """The root of the entries so far."""
        if not self.peaks:
            return EMPTY_ROOT
        current = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            current = node_hash(peak, current)
        return current

    def check_tables(self) -> None:
        """SQLite's own checks, and the triggers that keep the tables append-only."""
        for table in ("audit_entry", "audit_node", "audit_checkpoint"):
            for (text,) in self._connection.execute(
                "SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check(?)", (table,)
            ):
                if text != b"ok":
                    self._tell(f"table {table}", text.decode(errors="replace")[:200])
        rows = self._connection.execute(
            "SELECT CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema WHERE type = 'trigger'"
        )
        found = dict(rows.fetchall())
        for name, sql in audit_triggers().items():
            if found.get(name.encode()) != sql.encode():
                self._tell(f"trigger {name}", "was changed or removed, so rows could be changed")

    def check_entries(self) -> None:
        """Every entry, node and the root at every checkpoint's size."""
        wanted = {size for (size,) in self._connection.execute("SELECT size FROM audit_checkpoint")}
        if 0 in wanted:
            self._roots[0] = self.root()
        for seq, body, leaf in self._connection.execute("SELECT seq, body, leaf FROM audit_entry ORDER BY seq"):
            if seq != self.size:
                self._tell(f"entry {self.size}", f"is missing; entry {seq} comes next")
                return
            self._check_entry(seq, body, leaf)
            self._grow(body)
            self.size += 1
            if self.size in wanted:
                self._roots[self.size] = self.root()

    def check_rest(self, published: Path | None) -> None:
        """Nodes that belong to nothing, the checkpoints, and the published one."""
        (stored,) = self._connection.execute("SELECT count(*) FROM audit_node").fetchone()
        if stored > self._computed:
            self._tell("nodes", f"{stored - self._computed} nodes belong to no entry")
        rows = self._connection.execute(
            "SELECT size, root, CAST(note AS BLOB), CAST(at AS BLOB) FROM audit_checkpoint ORDER BY size"
        )
        for size, root, note, at in rows:
            self.checkpoints += 1
            self._check_checkpoint(size, root, note, said=at)
        if published is not None:
            self._check_published(published)

    def _check_entry(self, seq: int, body: object, leaf: object) -> None:
        if not isinstance(body, bytes) or leaf_hash(body) != leaf:
            self._tell(f"entry {seq}", "its bytes do not match its leaf hash")
            return
        try:
            number = entry_number(body)
        except AuditEventError as error:
            self._tell(f"entry {seq}", f"{error}: {error.found}")
            return
        if number != seq:
            self._tell(f"entry {seq}", f"says that it is entry {number}")

    def _grow(self, body: object) -> None:
        level, current = 0, leaf_hash(body if isinstance(body, bytes) else b"")
        while self.peaks and self.peaks[-1][0] == level:
            current = node_hash(self.peaks.pop()[1], current)
            level += 1
            self._check_node(level, current)
        self.peaks.append((level, current))

    def _check_node(self, level: int, expected: bytes) -> None:
        if level not in self._nodes:
            self._nodes[level] = self._connection.execute(
                "SELECT idx, hash FROM audit_node WHERE level = ? ORDER BY idx", (level,)
            )
        self._computed += 1
        index = self.size >> level
        if next(self._nodes[level], None) != (index, expected):
            self._tell(f"node {index} of level {level}", "is missing or does not match the entries below it")

    def _check_checkpoint(self, size: int, root: object, note: object, *, said: object) -> None:
        at = f"checkpoint {size}"
        try:
            opened = open_checkpoint(note if isinstance(note, bytes) else b"", self._key)
        except CheckpointInvalidError as error:
            self._tell(at, str(error.found))
            return
        if (opened.size, opened.root, opened.at.encode()) != (size, root, said):
            self._tell(at, "its row does not say what its signed note says")
        elif size not in self._roots:
            self._tell(at, f"covers {size} entries, and the log has {self.size}: entries were removed")
        elif self._roots[size] != opened.root:
            self._tell(at, "the entries that it covers were changed")
        else:
            self.covered = max(self.covered, size)

    def _check_published(self, path: Path) -> None:
        at = f"published checkpoint {path}"
        try:
            published = read_published(path, self._key)
        except CheckpointInvalidError as error:
            self._tell(at, str(error.found))
            return
        if published is None:
            if self.checkpoints:
                self._tell(at, "is not there")
        elif published.size > self.size:
            self._tell(at, f"covers {published.size} entries, and the log has {self.size}: entries were removed")
        elif self._root_at(published.size) != published.root:
            self._tell(at, "the entries that it covers were changed")

    def _root_at(self, size: int) -> bytes:
        """The root of the first ``size`` entries, from their bodies."""
        if size in self._roots:
            return self._roots[size]
        again = _Walk(self._connection, self._key)
        for (body,) in self._connection.execute("SELECT body FROM audit_entry ORDER BY seq LIMIT ?", (size,)):
            again._grow(body)
            again.size += 1
        return again.root()

    def _tell(self, at: str, message: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(at, message))
