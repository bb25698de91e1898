"""The tutorial that starts from a notebook, typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tutorial_page import type_page
from tutorial_place import make_place

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorials" / "notebook.md"


@pytest.mark.slow
def test_every_command_of_the_notebook_tutorial_does_what_the_page_says(tmp_path: Path) -> None:
    place = make_place(tmp_path, "visits")
    typed = type_page(PAGE, place.root, place.environment)
    assert {command.split()[0] for command in typed} >= {"git", "grep", "mintage", "sed"}
