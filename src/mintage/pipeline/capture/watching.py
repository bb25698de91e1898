"""Put the watcher into a command's environment, for the hook on its PYTHONPATH to start; and where it writes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

__all__ = ["notes_in", "watched"]

_PACKAGE = "mintage_capture"


def watched(folder: Path, environment: Mapping[str, str], *, work: Path) -> dict[str, str]:
    """``environment`` with the watcher, copied into the new ``folder``; ``work`` is where the command runs."""
    source = Path(__file__).with_name("inside")
    shutil.copytree(source, folder / _PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    notes_in(folder).mkdir()
    return {**environment, "MINTAGE_CAPTURE": str(notes_in(folder)), "MINTAGE_CAPTURE_WORK": str(work)}


def notes_in(folder: Path) -> Path:
    """The folder that the processes of ``watched(folder, ...)`` write into."""
    return folder / "notes"
