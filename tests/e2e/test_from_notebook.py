"""The tutorial that starts from a notebook, typed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tutorial_page import type_page

from small_project import environment

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorials" / "notebook.md"


@pytest.mark.slow
def test_every_command_of_the_notebook_tutorial_does_what_the_page_says(tmp_path: Path) -> None:
    for name in ("home", "tools", "project"):
        (tmp_path / name).mkdir()
    program = tmp_path / "tools" / "mintage"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mintage "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    typed = type_page(PAGE, tmp_path / "project", environment(tmp_path / "home", PATH=path))
    assert {command.split()[0] for command in typed} == {"git", "grep", "mintage", "sed"}
