"""The rows that a kept MLflow log has in the tracking database."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mintage.store.local import Store
from mintage.tracking.runs import Artifact, Entry, Metric

__all__ = ["Tracked", "logged_files", "tracked"]


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Metrics, parameters and tags, and files under ``mlflow/``."""

    metrics: list[Metric] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)


def tracked(store: Store, record: str | None, *, stage: str) -> Tracked:
    """What the record says, for ``stage``; nothing without a record."""
    rows = Tracked()
    if record is None:
        return rows
    body = store.get_record(record, kind="mlflow-log").body
    for run in body["runs"]:
        rows.metrics.extend(
            Metric(stage=stage, key=key, value=_number(value), step=step, at=_time(at))
            for key, value, step, at in run["metrics"]
        )
        rows.entries.extend(_entries(run, stage))
    rows.artifacts.extend(
        Artifact(stage=stage, path=f"mlflow/{path}", digest=digest, size=size)
        for path, digest, size in logged_files(body)
    )
    return rows


def logged_files(body: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """The files of a record ``mlflow-log``: a path of its own each, safe to write to, with digest and size.

    >>> file = {"path": "a.json", "digest": "b3:0", "size": 2}
    >>> run, model = {"prefix": "../x", "artifacts": [file]}, {"name": "churn", "files": [file]}
    >>> [path for path, *_ in logged_files({"runs": [run], "models": [model]})]
    ['1-x/a.json', 'models/1-churn/a.json']
    """
    for place, run in enumerate(body["runs"], start=1):
        for file in run["artifacts"]:
            yield f"{place}-{_plain(run['prefix'] or 'run')}/{file['path']}", file["digest"], file["size"]
    for place, model in enumerate(body["models"], start=1):
        for file in model["files"]:
            yield f"models/{place}-{_plain(model['name'])}/{file['path']}", file["digest"], file["size"]


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")[:100] or "unnamed"


def _entries(run: dict[str, Any], stage: str) -> list[Entry]:
    before = f"{run['prefix']}." if run["prefix"] else ""
    params = [Entry(stage=stage, what="param", key=before + key, value=value) for key, value in run["params"].items()]
    return params + [
        Entry(stage=stage, what="tag", key=before + key, value=value) for key, value in run["tags"].items()
    ]


def _number(value: float | str) -> float:
    return float(value) if isinstance(value, str) else value if math.isfinite(value) else math.nan


def _time(milliseconds: int) -> str | None:
    """RFC 3339 UTC; None for a time that no calendar has."""
    try:
        moment = datetime.datetime.fromtimestamp(milliseconds / 1000, tz=datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
