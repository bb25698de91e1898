"""The tutorial on the first model, typed; and the picture of the certificate page in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_picture import draw_page
from tutorial_page import type_page
from tutorial_place import make_place

from small_project import SmallProject

DOCS = Path(__file__).parent.parent.parent / "docs"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return make_place(tmp_path_factory.mktemp("first"), "churn")


@pytest.fixture(scope="module")
def typed(place: SmallProject) -> list[str]:
    return type_page(DOCS / "tutorials" / "first-model.md", place.root, place.environment)


def test_three_commands_and_no_line_written_give_a_certificate(place: SmallProject, typed: list[str]) -> None:
    assert typed[:4] == ["python make_customers.py", "mintage init", "mintage run", "mintage certify"]
    assert place.lock("certificate:churn")
    assert not (place.root / "policies").exists()


def test_the_picture_shows_the_certificate_page(place: SmallProject, typed: list[str], tmp_path: Path) -> None:
    assert typed
    (page,) = (place.root / ".mintage/reports").glob("certificate-churn-*.html")
    draw_page(page, DOCS / "images" / "first-certificate.png", height=900, scratch=tmp_path)
