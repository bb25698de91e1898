"""The tutorial on pipelines, typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tutorial_page import type_page
from tutorial_place import make_place

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorials" / "pipeline.md"


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    place = make_place(tmp_path, "trips")
    typed = type_page(PAGE, place.root, place.environment)
    words = [" ".join(command.split()[:2]) for command in typed]
    assert words.count("mintage run") >= 3
    assert {"mintage exp", "mintage explain-change", "mintage reproduce"} <= set(words)
