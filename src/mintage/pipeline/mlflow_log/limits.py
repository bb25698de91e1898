"""How much of a log is taken in, and where its files may lie.

A log was written by the user's script, so its paths and sizes are not trusted: nothing outside the stage's folder is
read, links are not followed, and what is over a limit is left out and named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mintage.pipeline.mlflow_log.logged import Point

__all__ = ["FILES", "Budget", "files_in", "folder_of", "is_wanted"]

RUNS, POINTS, ENTRIES, FILES = 1000, 100_000, 20_000, 10_000
VALUE_CHARACTERS, KEY_CHARACTERS = 8000, 250
_LARGEST = 1 << 53


@dataclass
class Budget:
    """What may still be taken in; ``left_out`` collects what was too much."""

    runs: int = RUNS
    points: int = POINTS
    entries: int = ENTRIES
    left_out: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Whether one more run may come in."""
        self.runs -= 1
        return self._within(self.runs, f"runs after the first {RUNS}")

    def point(self, point: Point) -> bool:
        """Whether one more value of a metric may come in."""
        if not 0 < len(point[0]) <= KEY_CHARACTERS or max(abs(point[2]), abs(point[3])) >= _LARGEST:
            return self._within(-1, "a metric whose key, step or time is out of range")
        self.points -= 1
        return self._within(self.points, f"values of metrics after the first {POINTS}")

    def entry(self, key: str, value: str) -> bool:
        """Whether one more parameter or tag may come in."""
        if not 0 < len(key) <= KEY_CHARACTERS or len(value) > VALUE_CHARACTERS:
            return self._within(-1, f"a parameter or tag longer than {VALUE_CHARACTERS} characters")
        self.entries -= 1
        return self._within(self.entries, f"parameters and tags after the first {ENTRIES}")

    def _within(self, left: int, what: str) -> bool:
        if left < 0 and what not in self.left_out:
            self.left_out.append(what)
        return left >= 0


def folder_of(uri: str, work: Path) -> Path | None:
    """The folder in ``work`` that an artifact's address names; None if it is elsewhere, or is ``work`` itself.

    >>> folder_of("file:///w/mlruns/0/ab/artifacts", Path("/w")).as_posix()
    '/w/mlruns/0/ab/artifacts'
    >>> [folder_of(uri, Path("/w")) for uri in ("s3://bucket/0/ab/artifacts", "../../etc", ".")]
    [None, None, None]
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost") or "\0" in uri:
        return None
    base = Path(os.path.realpath(work))
    path = Path(os.path.realpath(base / (unquote(parts.path) if parts.scheme else uri)))
    return path if path != base and path.is_relative_to(base) else None


def files_in(folder: Path) -> Iterator[Path]:
    """Regular files below ``folder``, sorted; links are left out."""
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from files_in(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def is_wanted(tag: str) -> bool:
    """Whether a tag is kept: MLflow's own copies of models and data sets, long JSON, are not.

    >>> is_wanted("team"), is_wanted("mlflow.log-model.history")
    (True, False)
    """
    return tag not in ("mlflow.log-model.history", "mlflow.loggedArtifacts", "mlflow.datasets")
