"""Read runs that MLflow wrote as files: ``<experiment>/<run>/{meta.yaml, params, metrics, tags, artifacts}``.

A parameter or tag is a file with its value; a metric a file with a line ``time value step`` for each value. Layout of
MLflow 1, 2 and 3. What cannot be read is named in the budget, and the rest is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mintage.errors import FileMalformedError
from mintage.pipeline.mlflow_log.limits import VALUE_CHARACTERS, Budget, files_in, folder_of, is_wanted
from mintage.pipeline.mlflow_log.logged import LoggedModel, LoggedRun, Point
from mintage.repo.yamlfile import load_yaml

__all__ = ["read_file_store"]

_META_BYTES = 64 << 10
_STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}


def read_file_store(folder: Path, work: Path, budget: Budget) -> tuple[list[LoggedRun], list[LoggedModel]]:
    """The runs and models of all experiments in ``folder`` that were not deleted."""
    runs, models = [], []
    for experiment in _folders(folder):
        about = _meta(experiment, budget)
        if about is None or about.get("lifecycle_stage") == "deleted":
            continue
        name = str(about.get("name", experiment.name))
        for inside in _folders(experiment):
            meta = _meta(inside, budget) if inside.name != "models" else None
            if meta is None or meta.get("lifecycle_stage") == "deleted" or "run_id" not in {*meta, *_ids(meta)}:
                continue
            if budget.run():
                runs.append(_run(inside, meta, name, work, budget))
        if (experiment / "models").is_dir():
            models += [model for path in _folders(experiment / "models") for model in _model(path, work, budget)]
    return runs, models


def _ids(meta: dict[str, Any]) -> tuple[str, ...]:
    return ("run_id",) if "run_uuid" in meta else ()


def _run(folder: Path, meta: dict[str, Any], experiment: str, work: Path, budget: Budget) -> LoggedRun:
    tags = dict(_values(folder / "tags", budget))
    ended = meta.get("end_time")
    return LoggedRun(
        id=folder.name,
        name=str(meta.get("run_name") or tags.get("mlflow.runName") or ""),
        experiment=experiment,
        parent=tags.get("mlflow.parentRunId"),
        started_ms=_whole(meta.get("start_time")),
        ended_ms=None if ended is None else _whole(ended),
        status=_STATUS.get(_whole(meta.get("status")), "UNKNOWN"),
        params=dict(_values(folder / "params", budget)),
        tags=tags,
        metrics=tuple(_points(folder / "metrics", budget)),
        artifacts=folder_of(str(meta.get("artifact_uri", "")), work),
    )


def _model(folder: Path, work: Path, budget: Budget) -> Iterator[LoggedModel]:
    meta = _meta(folder, budget)
    inside = None if meta is None else folder_of(str(meta.get("artifact_location", "")), work)
    if meta is not None and inside is not None and (inside / "MLmodel").is_file():
        run = meta.get("source_run_id")
        yield LoggedModel(name=str(meta.get("name", "model")), run=None if run is None else str(run), folder=inside)


def _folders(folder: Path) -> list[Path]:
    with os.scandir(folder) as listing:
        found = [Path(entry.path) for entry in listing if entry.is_dir(follow_symlinks=False)]
    return sorted(path for path in found if path.name != ".trash")


def _meta(folder: Path, budget: Budget) -> dict[str, Any] | None:
    path = folder / "meta.yaml"
    if path.is_symlink() or not path.is_file():
        return None
    try:
        if path.stat().st_size > _META_BYTES:
            raise FileMalformedError("too large", where=path.name)
        value = load_yaml(path.read_bytes(), where=path.name)[0]
    except FileMalformedError:
        budget.left_out.append(f"{folder.name}, whose meta.yaml cannot be read")
        return None
    return value if isinstance(value, dict) else None


def _values(folder: Path, budget: Budget) -> Iterator[tuple[str, str]]:
    for path in files_in(folder) if folder.is_dir() else ():
        key = path.relative_to(folder).as_posix()
        with path.open("rb") as stream:
            value = stream.read(4 * VALUE_CHARACTERS + 1).decode(errors="replace")
        if is_wanted(key) and budget.entry(key, value):
            yield key, value


def _points(folder: Path, budget: Budget) -> Iterator[Point]:
    for path in files_in(folder) if folder.is_dir() else ():
        key, seen = path.relative_to(folder).as_posix(), set()
        with path.open(errors="replace") as stream:
            for line in iter(lambda: stream.readline(1000), ""):
                point = _point(key, line)
                if point is None:
                    budget.left_out.append(f"a line of the metric {key[:100]} that is not `time value step`")
                    break
                if point in seen:  # MLflow 3 writes a value once more for the model that it belongs to
                    continue
                if not budget.point(point):
                    break
                seen.add(point)
                yield point


def _point(key: str, line: str) -> Point | None:
    words = line.split()
    try:
        return key, float(words[1]), int(words[2]) if len(words) > 2 else 0, int(words[0])
    except (ValueError, IndexError):
        return None


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and abs(value) < 1 << 53 else 0
