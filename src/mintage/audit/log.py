"""The audit log in the project's database: append, checkpoint, prove.

``append`` joins the caller's transaction, so that a change and its entry are both there or neither; refusals, which
have no change, get a transaction of their own. Of the Merkle tree only complete subtrees are stored: an append writes
one node on average, and a root or a proof reads a number of rows that is logarithmic in the log's size.

``checkpoint`` signs size and root with a key outside the database. It first makes sure that the log still begins with
what was signed and published before: two checkpoints that contradict each other are never signed. Whoever has both the
database and the key can still rewrite what no published copy covers; publish checkpoints where they cannot write.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mintage.audit.checkpoint import Checkpoint, CheckpointKey, open_checkpoint, sign_checkpoint
from mintage.audit.events import AuditEvent, decode_event, encode_event
from mintage.audit.keyfile import AuditKey
from mintage.audit.merkle import completed, consistency_proof, inclusion_proof, leaf_hash, root
from mintage.audit.proof import Proof
from mintage.audit.verify import AuditReport, read_published, verify_log
from mintage.database.connection import transaction
from mintage.database.failure import database_path
from mintage.errors import AuditLogBrokenError, AuditPublishError, CheckpointMissingError, UsageError
from mintage.store.publish import publish_bytes

__all__ = ["AuditLog"]

_LEAF = "SELECT leaf FROM audit_entry WHERE seq = :index"
_NODE = "SELECT hash FROM audit_node WHERE level = :level AND idx = :index"


class AuditLog:
    """The log named ``origin`` in a database that ``open_database`` opened; ``signer`` signs its checkpoints."""

    def __init__(self, connection: sqlite3.Connection, origin: str, signer: AuditKey) -> None:
        self._connection = connection
        self._signer = signer
        self.key = CheckpointKey(origin, signer.public)

    @property
    def size(self) -> int:
        """How many entries there are."""
        row = self._connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM audit_entry").fetchone()
        return int(row[0])

    def append(self, event: AuditEvent) -> int:
        """Add an entry and return its number; inside the caller's transaction if there is one.

        Raises AuditEventError if the event is not well formed; then nothing is written.
        """
        with self._writing():
            seq = self.size
            body = encode_event(event, seq=seq)
            leaf = leaf_hash(body)
            nodes = completed(seq, leaf, self._node)
            self._connection.execute("INSERT INTO audit_entry (seq, body, leaf) VALUES (?, ?, ?)", (seq, body, leaf))
            self._connection.executemany("INSERT INTO audit_node (level, idx, hash) VALUES (?, ?, ?)", nodes)
        return seq

    def events(self, *, start: int = 0, limit: int | None = None) -> Iterator[tuple[int, AuditEvent]]:
        """Number and event of each entry from ``start`` on."""
        rows = self._connection.execute(
            "SELECT body FROM audit_entry WHERE seq >= ? ORDER BY seq LIMIT ?", (start, -1 if limit is None else limit)
        )
        return (decode_event(body) for (body,) in rows)

    def body(self, seq: int) -> bytes:
        """The bytes of an entry, which its proof is about; raises UsageError if there is none of that number."""
        row = self._connection.execute("SELECT body FROM audit_entry WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise UsageError("there is no such audit entry", expected=f"0 to {self.size - 1}", found=str(seq))
        return bytes(row[0])

    def checkpoint(self, now: str, *, publish: Path | None = None) -> str:
        """Sign the log as it is and return the note; with ``publish`` the note also replaces that file.

        The same log gives the same note again. Raises AuditLogBrokenError or CheckpointInvalidError, and signs
        nothing, if the log does not begin with what the last or the published checkpoint says; AuditPublishError if
        the file cannot be written. It is written under the write lock, so that an older note never replaces a newer.
        """
        if publish is not None and self._connection.in_transaction:
            raise sqlite3.ProgrammingError("the caller's transaction must end before a checkpoint of it is published")
        with self._writing():
            last = self._last_checkpoint()
            if last is not None:
                self._require_prefix(last[0], where=self._where())
            if publish is not None and (published := read_published(publish, self.key)) is not None:
                self._require_prefix(published, where=str(publish))
            size = self.size
            note = last[1] if last is not None and last[0].size == size else self._sign(size, now)
            if publish is not None:
                _publish(publish, note)
        return note

    def begins_with(self, checkpoint: Checkpoint) -> bool:
        """Whether the log has at least as many entries as ``checkpoint`` covers, and the first of them its root."""
        return checkpoint.size <= self.size and root(checkpoint.size, self._node) == checkpoint.root

    def prove(self, seq: int) -> Proof:
        """The proof that entry ``seq`` is in the log, under the newest checkpoint.

        Raises UsageError if there is no such entry, CheckpointMissingError if no checkpoint covers it yet.
        """
        self.body(seq)
        last = self._last_checkpoint()
        if last is None or last[0].size <= seq:
            raise CheckpointMissingError(
                f"no checkpoint covers audit entry {seq} yet",
                expected=f"a checkpoint of at least {seq + 1} entries",
                found=f"{last[0].size} entries" if last else "no checkpoint",
                hint="make one with `mintage audit checkpoint`, then ask again",
            )
        checkpoint, note = last
        return Proof(index=seq, hashes=tuple(inclusion_proof(seq, checkpoint.size, self._node)), note=note)

    def prove_consistency(self, old: int, new: int) -> list[bytes]:
        """The RFC 6962 proof that the log of ``new`` entries begins with the one of ``old``."""
        if not 0 <= old <= new <= self.size:
            raise UsageError(
                "no such sizes of the audit log", expected=f"0 <= old <= new <= {self.size}", found=f"{old}, {new}"
            )
        return consistency_proof(old, new, self._node)

    def verify(self, *, published: Path | None = None) -> AuditReport:
        """Hash every entry again and check every checkpoint; see ``verify_log``."""
        return verify_log(self._connection, self.key, published=published)

    def _sign(self, size: int, now: str) -> str:
        checkpoint = Checkpoint(origin=self.key.origin, size=size, root=root(size, self._node), at=now)
        note = sign_checkpoint(checkpoint, self._signer)
        self._connection.execute(
            "INSERT INTO audit_checkpoint (size, root, note, at) VALUES (?, ?, ?, ?)",
            (size, checkpoint.root, note, now),
        )
        return note

    def _last_checkpoint(self) -> tuple[Checkpoint, str] | None:
        row = self._connection.execute("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else (open_checkpoint(row[0], self.key, where=self._where()), row[0])

    def _require_prefix(self, checkpoint: Checkpoint, *, where: str) -> None:
        size = self.size
        if not self.begins_with(checkpoint):
            raise AuditLogBrokenError(
                "the audit log no longer begins with what was signed before",
                expected=f"{checkpoint.size} entries under root {checkpoint.root.hex()}",
                found=f"{size} entries" if checkpoint.size > size else "another root",
                where=where,
                hint="run `mintage audit verify`; if the database was put back from a copy, keep both as evidence",
            )

    def _node(self, level: int, index: int) -> bytes:
        row = self._connection.execute(_LEAF if level == 0 else _NODE, {"level": level, "index": index}).fetchone()
        if row is None:
            raise AuditLogBrokenError(
                "a part of the audit log is missing",
                expected=f"the node {index} of level {level}",
                found="nothing",
                where=self._where(),
                hint="run `mintage audit verify`",
            )
        return bytes(row[0])

    def _where(self) -> str:
        return database_path(self._connection)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or none, inside the caller's transaction or one of our own."""
        if not self._connection.in_transaction:
            with transaction(self._connection):
                yield
            return
        self._connection.execute("SAVEPOINT audit")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK TO audit")
            self._connection.execute("RELEASE audit")
            raise
        self._connection.execute("RELEASE audit")


def _publish(path: Path, note: str) -> None:
    try:
        publish_bytes(path, note.encode())
    except OSError as error:
        raise AuditPublishError(
            "the checkpoint cannot be published",
            found=str(error),
            where=str(path),
            hint="check that the folder is there and that you may write to it, then run the command again",
        ) from error
