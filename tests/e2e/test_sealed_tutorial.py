"""The tutorial on sealed hold-outs, typed: two people, two clones, one hold-out."""

from __future__ import annotations

from pathlib import Path

import pytest
from tutorial_page import type_page
from tutorial_place import make_place

DOCS = Path(__file__).parent.parent.parent / "docs"

pytestmark = pytest.mark.slow


def test_every_command_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    place = make_place(tmp_path, "shared desk")
    typed = type_page(DOCS / "tutorials" / "sealed-holdout.md", place.root, place.environment)
    words = " ".join(typed)
    for verb in ("holdout join", "holdout seal", "holdout open", "holdout list", "audit witness", "verify"):
        assert f"mintage {verb}" in words
