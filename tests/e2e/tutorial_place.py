"""The folder in which a test types a tutorial: a home, an empty project, and `python` and `mintage` on the path."""

from __future__ import annotations

import sys
from pathlib import Path

from small_project import SmallProject, environment

__all__ = ["make_place", "write_tools"]


def make_place(base: Path, name: str) -> SmallProject:
    """An empty project of that name below ``base``, with nothing of the caller's home or path."""
    home, project = base / "home", base / name
    home.mkdir()
    project.mkdir()
    place = SmallProject(project, home)
    place.environment = environment(home, PATH=f"{write_tools(base / 'tools')}:/usr/local/bin:/usr/bin:/bin")
    return place


def write_tools(folder: Path) -> Path:
    """`python` and `mintage` of this environment as programs in ``folder``."""
    folder.mkdir(exist_ok=True)
    for name, words in {"python": "", "mintage": "-m mintage "}.items():
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {words}"$@"\n')
        program.chmod(0o755)
    return folder
