"""Which of the files that a command wrote hold an estimator, by their names and first bytes; none is opened further."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mintage.pipeline.estimator_file import HEAD_BYTES, estimator_kind

__all__ = ["written_estimators"]


def written_estimators(work: Path, paths: Iterable[str]) -> list[str]:
    """The paths, from ``work``, of the estimators among the files ``paths`` and those within the folders among them."""
    found = []
    for path in paths:
        full = work / path.rstrip("/")
        for file in sorted(full.rglob("*")) if full.is_dir() else [full]:
            name = file.relative_to(work).as_posix()
            if file.is_file() and name not in found and estimator_kind(name, _head(file)) is not None:
                found.append(name)
    return found


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(HEAD_BYTES)
