"""The tutorial on policies, typed; and the picture of the certificate page in it.

``MINTAGE_WRITE_IMAGES=1`` writes the picture into docs/images.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from page_picture import draw_page
from tutorial_page import type_page
from tutorial_place import make_place

DOCS = Path(__file__).parent.parent.parent / "docs"
PICTURE = DOCS / "images" / "certificate-page.png"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which the page was typed, and its commands."""
    place = make_place(tmp_path_factory.mktemp("policy"), "tumour")
    return place.root, type_page(DOCS / "tutorials" / "policy.md", place.root, place.environment)


def test_every_command_of_the_page_does_what_it_says(typed: tuple[Path, list[str]]) -> None:
    words = [" ".join(command.split()[:2]) for command in typed[1]]
    assert words.count("mintage certify") == 3
    assert {"mintage policy", "mintage run", "mintage release"} <= set(words)


def test_the_certificate_page_is_drawn_by_a_browser(typed: tuple[Path, list[str]], tmp_path: Path) -> None:
    (page,) = (typed[0] / ".mintage/reports").glob("certificate-tumour-*.html")
    draw_page(page, PICTURE, height=900, scratch=tmp_path)
