"""Read runs that MLflow wrote into a SQLite database (its tables are the same from MLflow 1 to 3, with more columns).

The file is opened read-only, its schema's functions are not trusted. What cannot be read is named in the budget.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mintage.pipeline.mlflow_log.limits import Budget, folder_of, is_wanted
from mintage.pipeline.mlflow_log.logged import LoggedModel, LoggedRun, Point
from mintage.pipeline.mlflow_log.own import open_read_only

__all__ = ["read_database"]

_INFINITE = 1.7976931348623157e308
_STEPS = 200_000_000
_EVERY = 1_000_000


def read_database(path: Path, work: Path, budget: Budget) -> tuple[list[LoggedRun], list[LoggedModel]]:
    """Its runs and models that were not deleted."""
    try:
        with contextlib.closing(open_read_only(path)) as connection:
            _limit_work(connection)
            connection.text_factory = lambda data: data.decode(errors="replace")
            return list(_runs(connection, work, budget)), list(_models(connection, work))
    except (sqlite3.Error, ValueError, TypeError) as error:
        budget.left_out.append(f"{path.name}, which cannot be read: {str(error)[:200]}")
        return [], []


def _limit_work(connection: sqlite3.Connection) -> None:
    """A file can be made so that reading it never ends: stop after some hundred million steps of SQLite's machine."""
    left = _STEPS // _EVERY

    def count() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(count, _EVERY)


def _runs(connection: sqlite3.Connection, work: Path, budget: Budget) -> Iterator[LoggedRun]:
    names = dict(connection.execute("SELECT experiment_id, name FROM experiments LIMIT 100000"))
    wanted = (
        "SELECT run_uuid, name, status, start_time, end_time, artifact_uri, experiment_id FROM runs "
        "WHERE lifecycle_stage IS NOT 'deleted' ORDER BY start_time, rowid LIMIT 100000"
    )
    rows = [row for row in connection.execute(wanted) if budget.run()]
    known = {str(row[0]) for row in rows}
    params, tags = _entries(connection, "params", known, budget), _entries(connection, "tags", known, budget)
    metrics = _metrics(connection, known, budget)
    for run, name, status, started, ended, uri, experiment in rows:
        yield LoggedRun(
            id=str(run),
            name=str(name or tags[run].get("mlflow.runName") or ""),
            experiment=str(names.get(experiment, experiment)),
            parent=tags[run].get("mlflow.parentRunId"),
            started_ms=int(started or 0),
            ended_ms=None if ended is None else int(ended),
            status=str(status),
            params=params[run],
            tags=tags[run],
            metrics=tuple(metrics[run]),
            artifacts=folder_of(str(uri or ""), work),
        )


def _entries(
    connection: sqlite3.Connection, table: str, known: set[str], budget: Budget
) -> defaultdict[str, dict[str, str]]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    rows = connection.execute(f"SELECT run_uuid, key, value FROM {table} ORDER BY run_uuid, key LIMIT 1000000")  # noqa: S608  # one of two names
    for run, key, value in rows:
        text = "" if value is None else str(value)
        if run in known and is_wanted(str(key)) and budget.entry(str(key), text):
            found[run][str(key)] = text
    return found


def _metrics(connection: sqlite3.Connection, known: set[str], budget: Budget) -> defaultdict[str, list[Point]]:
    found: defaultdict[str, list[Point]] = defaultdict(list)
    wanted = 'SELECT run_uuid, key, value, step, timestamp, is_nan FROM metrics ORDER BY "key", step, timestamp, rowid'
    for run, key, value, step, at, is_nan in connection.execute(f"{wanted} LIMIT 1000000"):
        point = str(key), _number(value, is_nan), int(step), int(at)
        if run in known and budget.point(point):
            found[run].append(point)
    return found


def _number(value: Any, is_nan: Any) -> float:
    """MLflow stores NaN as 0 with a flag, and infinity as the largest double."""
    if is_nan or value is None:
        return float("nan")
    number = float(value)
    return number if abs(number) < _INFINITE else float("inf" if number > 0 else "-inf")


def _models(connection: sqlite3.Connection, work: Path) -> Iterator[LoggedModel]:
    """MLflow 3 has a table of models; before that they lie among the run's artifacts."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'logged_models' AND type = 'table'").fetchone():
        return
    wanted = "SELECT name, source_run_id, artifact_location FROM logged_models WHERE lifecycle_stage IS NOT 'deleted'"
    for name, run, uri in connection.execute(f"{wanted} LIMIT 1000"):
        folder = folder_of(str(uri), work)
        if folder is not None and (folder / "MLmodel").is_file():
            yield LoggedModel(name=str(name), run=None if run is None else str(run), folder=folder)
