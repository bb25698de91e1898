"""Find and read what a stage logged with MLflow in its folder: runs as files, and SQLite databases."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from mintage.pipeline.mlflow_log.database import read_database
from mintage.pipeline.mlflow_log.filestore import read_file_store
from mintage.pipeline.mlflow_log.limits import FILES, Budget, files_in
from mintage.pipeline.mlflow_log.logged import Logged, LoggedModel, LoggedRun
from mintage.pipeline.mlflow_log.own import is_database, is_file_store, is_folder

__all__ = ["read_logged"]

_JOURNALS = ("-journal", "-wal", "-shm")


def read_logged(work: Path, *, without: Collection[str] = ()) -> Logged:
    """What lies in ``work``, the paths ``without`` (the stage's inputs) left aside; empty if MLflow wrote nothing."""
    work = Path(os.path.realpath(work))
    budget = Budget()
    runs: list[LoggedRun] = []
    models: list[LoggedModel] = []
    own: set[Path] = set()
    for path in _stores(work, {work / name.rstrip("/") for name in without}):
        own.add(path)
        if path.is_dir():
            found = read_file_store(path, work, budget) if is_file_store(path) else ([], [])
        else:
            own |= {path.with_name(path.name + suffix) for suffix in _JOURNALS}
            found = read_database(path, work, budget)
        runs, models = runs + found[0], models + found[1]
    runs.sort(key=lambda run: (run.started_ms, run.id))
    own |= {run.artifacts for run in runs if run.artifacts is not None} | {model.folder for model in models}
    models += [model for run in runs for model in _among_artifacts(run)]
    return Logged(
        runs=tuple(runs),
        models=tuple(models),
        own=tuple(sorted(path.relative_to(work).as_posix() for path in own)),
        left_out=tuple(dict.fromkeys(budget.left_out)),
    )


def _stores(folder: Path, without: set[Path]) -> Iterator[Path]:
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        path = Path(entry.path)
        if path in without or entry.is_symlink():
            continue
        if entry.is_dir():
            if is_folder(path):
                yield path
            else:
                yield from _stores(path, without)
        elif is_database(path):
            yield path


def _among_artifacts(run: LoggedRun) -> Iterator[LoggedModel]:
    """The models in a run's own folder, as MLflow before 3 keeps them."""
    if run.artifacts is None or not run.artifacts.is_dir():
        return
    for count, path in enumerate(files_in(run.artifacts)):
        if count >= FILES:
            return
        if path.name == "MLmodel" and path.parent != run.artifacts:
            name = path.parent.relative_to(run.artifacts).as_posix()
            yield LoggedModel(name=name, run=run.id, folder=path.parent)
