"""Put what a stage logged with MLflow into the store: one record of the kind ``mlflow-log``, and each file's bytes."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintage.errors import RecordInvalidError
from mintage.pipeline.mlflow_log.limits import FILES, files_in
from mintage.pipeline.mlflow_log.logged import Logged, LoggedModel, LoggedRun
from mintage.pipeline.mlflow_log.names import name_runs
from mintage.record.envelope import Record
from mintage.record.manifest import safe_path
from mintage.store.local import Store

__all__ = ["KeptLog", "keep_logged"]


@dataclass(frozen=True, kw_only=True)
class KeptLog:
    """The record's id, the last value of each metric by its full name, and a line that says what was logged."""

    record: str
    metrics: dict[str, float]
    said: str


def keep_logged(store: Store, logged: Logged, *, stage: str, taken: Collection[str]) -> KeptLog | None:
    """Keep it; None if nothing was logged. A metric whose full name is ``taken`` (the stage reported it in another way
    too) gets ``mlflow.`` in front of it."""
    if not logged.runs:
        return None
    names, files = name_runs(logged.runs), _Files(store)
    runs = [_run(run, names[run.id], files, taken) for run in logged.runs]
    models = [_model(model, names, files) for model in logged.models]
    left_out = [*logged.left_out, *files.left_out]
    body = {"stage": stage, "runs": runs, "models": models, "left_out": left_out}
    upstream = tuple(sorted(files.digests))
    record = store.put_record(Record(kind="mlflow-log", version=0, upstream=upstream, body=body))
    last = {key: value for run in runs for key, value, _, _ in run["metrics"] if isinstance(value, int | float)}
    return KeptLog(record=record, metrics={key: float(value) for key, value in last.items()}, said=_said(runs, models))


class _Files:
    """Puts files into the store, up to a number of them, and knows what it put."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0
        self.digests: set[str] = set()
        self.left_out: list[str] = []

    def keep(self, folder: Path | None) -> list[dict[str, Any]]:
        found = []
        for path in files_in(folder) if folder is not None and folder.is_dir() else ():
            if self._count >= FILES:
                self.left_out = [f"files after the first {FILES}"]
                break
            try:
                name = safe_path(path.relative_to(folder or path).as_posix())
            except RecordInvalidError:
                self.left_out.append("a file whose name is not a path")
                continue
            self._count += 1
            digest = self._store.put_file(path)
            self.digests.add(digest)
            found.append({"path": name, "digest": digest, "size": path.stat().st_size})
        return found


def _run(run: LoggedRun, name: str, files: _Files, taken: Collection[str]) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "prefix": name,
        "experiment": run.experiment,
        "parent": run.parent,
        "status": run.status,
        "started_ms": run.started_ms,
        "ended_ms": run.ended_ms,
        "params": run.params,
        "tags": run.tags,
        "metrics": [
            [_full(name, key, taken), value if math.isfinite(value) else str(value), step, at]
            for key, value, step, at in sorted(run.metrics, key=lambda point: (point[0], point[2], point[3]))
        ],
        "artifacts": files.keep(run.artifacts),
    }


def _model(model: LoggedModel, names: dict[str, str], files: _Files) -> dict[str, Any]:
    return {"name": model.name, "run": names.get(model.run or ""), "files": files.keep(model.folder)}


def _full(prefix: str, key: str, taken: Collection[str]) -> str:
    name = f"{prefix}.{key}" if prefix else key
    return f"mlflow.{name}" if name in taken else name


def _said(runs: list[dict[str, Any]], models: list[dict[str, Any]]) -> str:
    counts = {
        "run": len(runs),
        "parameter": sum(len(run["params"]) for run in runs),
        "metric": len({key for run in runs for key, *_ in run["metrics"]}),
        "model": len(models),
        "file": len({(file["path"], file["digest"]) for run in runs for file in run["artifacts"]}),
    }
    shown = [f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count]
    return f"logged with MLflow: {', '.join(shown)}"
