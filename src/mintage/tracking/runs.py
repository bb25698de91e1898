"""Write and read runs in the tracking database.

A run is a row while it lives and for ever after; its record in the store is the evidence, the row is the index. Each
change and its audit entry are one transaction: the caller passes ``audit``, which appends inside it.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from mintage.database.connection import transaction

__all__ = ["Artifact", "Entry", "Metric", "RunRow", "RunStore", "Status"]

Status = Literal["running", "finished", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number reported by a stage; ``at`` is when, RFC 3339 UTC, if that is known."""

    stage: str
    key: str
    value: float
    step: int = 0
    at: str | None = None


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One output of a stage, by digest; size in bytes."""

    stage: str
    path: str
    digest: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A parameter or tag that a stage's script logged with a library of its own."""

    stage: str
    what: Literal["param", "tag"]
    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One run as the database knows it; times are RFC 3339 UTC."""

    id: str
    kind: str
    name: str
    status: str
    commit_id: str
    started: str
    finished: str | None
    record: str | None
    actor: str


class RunStore:
    """The runs of one project."""

    def __init__(self, connection: sqlite3.Connection, audit: Callable[[str, str, dict[str, Any]], object]) -> None:
        self._connection = connection
        self._audit = audit

    def start(
        self, *, run_id: str, kind: str, name: str, commit_id: str, started: str, actor: str, params: Mapping[str, Any]
    ) -> None:
        """Enter a run that begins now."""
        with transaction(self._connection):
            self._connection.execute(
                "INSERT INTO runs (id, kind, name, status, commit_id, started, actor) VALUES (?,?,?,'running',?,?,?)",
                (run_id, kind, name, commit_id, started, actor),
            )
            self._connection.executemany(
                "INSERT INTO params (run_id, key, value) VALUES (?,?,?)",
                [(run_id, key, msgspec.json.encode(value).decode()) for key, value in sorted(params.items())],
            )
            self._audit("run.start", run_id, {"kind": kind, "name": name, "commit": commit_id})

    def log_stage(
        self,
        run_id: str,
        *,
        metrics: Iterable[Metric],
        artifacts: Iterable[Artifact],
        entries: Iterable[Entry] = (),
        params: Mapping[str, Any] | None = None,
        at: str,
    ) -> None:
        """Enter what a finished stage took, reported and made; a parameter takes the place of an earlier value."""
        with transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO params (run_id, key, value) VALUES (?,?,?)",
                [(run_id, key, msgspec.json.encode(value).decode()) for key, value in sorted((params or {}).items())],
            )
            self._connection.executemany(
                "INSERT INTO metrics (run_id, stage, key, step, value, at) VALUES (?,?,?,?,?,?)",
                [(run_id, item.stage, item.key, item.step, _stored(item.value), item.at or at) for item in metrics],
            )
            self._connection.executemany(
                "INSERT INTO artifacts (run_id, stage, path, digest, size) VALUES (?,?,?,?,?)",
                [(run_id, item.stage, item.path, item.digest, item.size) for item in artifacts],
            )
            self._connection.executemany(
                "INSERT INTO logged (run_id, stage, what, key, value) VALUES (?,?,?,?,?)",
                [(run_id, item.stage, item.what, item.key, item.value) for item in entries],
            )

    def finish(
        self, run_id: str, *, status: Status, finished: str, record: str | None, commit_id: str | None = None
    ) -> None:
        """Close a run; ``commit_id`` is its commit if that is another one than it began with."""
        with transaction(self._connection):
            if commit_id is not None:
                self._connection.execute("UPDATE runs SET commit_id = ? WHERE id = ?", (commit_id, run_id))
            self._connection.execute(
                "UPDATE runs SET status = ?, finished = ?, record = ? WHERE id = ?", (status, finished, record, run_id)
            )
            self._audit("run.finish", run_id, {"status": status, "record": record})

    def close_interrupted(self, *, finished: str) -> list[str]:
        """Mark runs that still say running as interrupted; only for the holder of the run lock. Returns their ids."""
        rows = self._connection.execute("SELECT id FROM runs WHERE status = 'running'").fetchall()
        for (run_id,) in rows:
            self.finish(run_id, status="interrupted", finished=finished, record=None)
        return [row[0] for row in rows]

    def beside_others(self) -> RunStore:
        """The same runs, for one of several processes that run at once under one run lock: none takes those of the
        others for interrupted."""
        return _BesideOthers(self._connection, self._audit)

    def list_runs(self, *, limit: int = 100) -> list[RunRow]:
        """The newest runs first."""
        rows = self._connection.execute(
            "SELECT id, kind, name, status, commit_id, started, finished, record, actor FROM runs "
            "ORDER BY started DESC, rowid DESC LIMIT ?",
            (limit,),
        )
        names = ("id", "kind", "name", "status", "commit_id", "started", "finished", "record", "actor")
        return [RunRow(**dict(zip(names, row, strict=True))) for row in rows]

    def metrics_of(self, run_id: str) -> dict[str, float]:
        """The last value of every metric of a run, by name."""
        rows = self._connection.execute(
            "SELECT key, value FROM metrics WHERE run_id = ? ORDER BY key, step, rowid", (run_id,)
        )
        return {key: math.nan if value is None else value for key, value in rows}

    def series_of(self, run_id: str) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """The metrics of a run that it reported at more than one step, by stage and name: (step, value) in order."""
        rows = self._connection.execute(
            "SELECT stage, key, step, value FROM metrics WHERE run_id = ? AND value IS NOT NULL ORDER BY step, rowid",
            (run_id,),
        )
        found: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for stage, key, step, value in rows:
            found.setdefault((stage, key), []).append((step, value))
        return {name: points for name, points in found.items() if len({step for step, _ in points}) > 1}

    def artifacts_of(self, run_id: str) -> list[Artifact]:
        """The outputs of a run."""
        rows = self._connection.execute(
            "SELECT stage, path, digest, size FROM artifacts WHERE run_id = ? ORDER BY stage, path", (run_id,)
        )
        return [Artifact(stage=row[0], path=row[1], digest=row[2], size=row[3]) for row in rows]

    def entries_of(self, run_id: str) -> list[Entry]:
        """Parameters and tags that the scripts of a run's stages logged themselves."""
        rows = self._connection.execute(
            "SELECT stage, what, key, value FROM logged WHERE run_id = ? ORDER BY stage, what, key", (run_id,)
        )
        return [Entry(stage=row[0], what=row[1], key=row[2], value=row[3]) for row in rows]

    def params_of(self, run_id: str) -> dict[str, Any]:
        """The parameters of a run."""
        rows = self._connection.execute("SELECT key, value FROM params WHERE run_id = ? ORDER BY key", (run_id,))
        return {key: msgspec.json.decode(value) for key, value in rows}


class _BesideOthers(RunStore):
    def close_interrupted(self, *, finished: str) -> list[str]:
        return []


def _stored(value: float) -> float | None:
    """SQLite keeps no NaN: NULL stands for it."""
    return None if math.isnan(value) else value
