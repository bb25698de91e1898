"""Tell MLflow's own files from the user's, by name and by what is in them.

Its folders hold random ids and times, so they are neither inputs nor outputs of a stage, and a recording begins without
those of earlier runs.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

__all__ = ["is_database", "is_file_store", "is_folder", "open_read_only"]

_NAMES = ("mlruns", "mlartifacts")
_DATABASES = (".db", ".sqlite", ".sqlite3")
_MAGIC = b"SQLite format 3\0"
_TABLES = {"experiments", "runs", "metrics", "latest_metrics", "params", "tags"}
_HEAD_BYTES = 4096
_TEXT_BYTES = 1 << 20


def is_folder(folder: Path) -> bool:
    """Whether ``folder`` is one that MLflow keeps runs or artifacts in."""
    return folder.name in _NAMES or is_file_store(folder)


def is_file_store(folder: Path) -> bool:
    """Whether ``folder`` holds runs as files: experiments with a ``meta.yaml``, beside ``.trash``, which is always
    there, or as experiment 0."""
    if (folder / ".trash").is_dir():
        candidates = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    else:
        candidates = [folder / "0"]
    return any(_is_experiment(candidate / "meta.yaml") for candidate in candidates)


def _is_experiment(meta: Path) -> bool:
    if not meta.is_file():
        return False
    with meta.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    return b"artifact_location:" in head and b"experiment_id:" in head


def is_database(path: Path) -> bool:
    """Whether ``path`` is a SQLite database with MLflow's tables."""
    if path.suffix.lower() not in _DATABASES or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            return False
    try:
        with contextlib.closing(open_read_only(path)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchmany(1000)
    except sqlite3.Error:
        return False
    return {name for (name,) in rows} >= _TABLES


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even a journal, and runs no function that the file's schema names.

    It may be hostile: values are limited to a mebibyte.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _TEXT_BYTES)
    return connection
