"""The rows that a kept MLflow log has in the tracking database."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, field
from typing import Any

from mintage.store.local import Store
from mintage.tracking.runs import Artifact, Entry, Metric

__all__ = ["Tracked", "tracked"]


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Metrics, parameters and tags, and files of the runs by ``mlflow/<run>/<path>``."""

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
        rows.artifacts.extend(_files(run["artifacts"], f"mlflow/{run['prefix'] or 'run'}", stage))
    for place, model in enumerate(body["models"]):
        rows.artifacts.extend(_files(model["files"], f"mlflow/models/{place}-{model['name']}", stage))
    return rows


def _entries(run: dict[str, Any], stage: str) -> list[Entry]:
    before = f"{run['prefix']}." if run["prefix"] else ""
    params = [Entry(stage=stage, what="param", key=before + key, value=value) for key, value in run["params"].items()]
    return params + [
        Entry(stage=stage, what="tag", key=before + key, value=value) for key, value in run["tags"].items()
    ]


def _files(files: list[dict[str, Any]], folder: str, stage: str) -> list[Artifact]:
    return [
        Artifact(stage=stage, path=f"{folder}/{file['path']}", digest=file["digest"], size=file["size"])
        for file in files
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
