"""Put the code around a stage into its scratch folder, so that what it imports or opens by name is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

__all__ = ["place_sources"]


def place_sources(paths: Iterable[str], *, root: Path, work: Path) -> list[str]:
    """Copy those of the files at ``paths`` that ``work`` lacks; returns which."""
    placed: list[str] = []
    made: set[Path] = set()
    for path in paths:
        source, target = root / path, work / path
        if target.exists() or not source.is_file():
            continue
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        shutil.copyfile(source, target)
        target.chmod(source.stat().st_mode & 0o755)
        placed.append(path)
    return placed
