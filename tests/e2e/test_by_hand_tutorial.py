"""The tutorial that writes every file by hand and goes to a release and back, typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tutorial_page import type_page
from tutorial_place import make_place

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorials" / "by-hand.md"


@pytest.mark.slow
def test_the_whole_loop_by_hand_does_what_the_page_says(tmp_path: Path) -> None:
    place = make_place(tmp_path, "tumour")
    try:
        typed = type_page(PAGE, place.root, place.environment)
    finally:
        place.run("stop", "production", expect=None)
    words = [command.split()[1] for command in typed if command.startswith("mintage ")]
    assert words[-6:] == ["predict", "verify", "labels", "monitor", "report", "stop"]
    assert (place.root / ".mintage/reports/index.html").is_file()
