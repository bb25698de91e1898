"""Programs that packages of the dev extra bring: on PATH, or beside the interpreter that runs the tests."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

__all__ = ["program"]


def program(name: str) -> str | None:
    """The file of the program; None if it is not installed."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
