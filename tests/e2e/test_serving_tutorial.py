"""The tutorial about serving, typed; and the picture in it, made from the page that its model gives.

The picture is written to docs/images only if MINTAGE_WRITE_IMAGES is set, so that a test leaves the tree as it is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tutorial_page import type_page
from tutorial_place import make_place

from small_project import SmallProject

sys.path.append(str(Path(__file__).parent.parent / "serve"))
from piped_browser import open_browser
from serve_process import serving

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = DOCS / "tutorials" / "serving.md"
PICTURE = DOCS / "images" / "try-page.png"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return make_place(tmp_path_factory.mktemp("serving"), "churn")


@pytest.fixture(scope="module")
def typed(place: SmallProject) -> list[str]:
    return type_page(PAGE, place.root, place.environment)


def test_every_command_of_the_tutorial_does_what_the_page_says(place: SmallProject, typed: list[str]) -> None:
    assert sum(command.startswith("mintage predict") for command in typed) >= 3
    assert (place.root / "scored.parquet").is_file()
    assert not (place.root / "scored.csv").exists()


def test_the_page_answers_and_its_picture_is_that_of_the_tutorial(
    place: SmallProject, typed: list[str], tmp_path: Path
) -> None:
    assert typed
    with (
        open_browser(tmp_path / "browser") as page,
        serving("--port", 0, cwd=place.root, env=place.environment) as served,
    ):
        page.open(f"{served.url}/", width=1060, height=840)
        for field, text in (("0", "41"), ("2", "3")):
            page.type(f"#input-{field}", text)
        page.ask("document.querySelector('#input-1').value = 'gold'")
        page.ask("document.querySelector('#input-1').dispatchEvent(new Event('input', {bubbles: true}))")
        asked = '{"age":41,"plan":"gold","calls":3}'
        page.until(f"document.querySelector('#curl').textContent.includes('{asked}')")
        page.until("!document.querySelector('.stale') && document.querySelector('#found').innerText.includes('0.0081')")
        page.ask("document.activeElement.blur()")
        names = page.ask("[...document.querySelectorAll('#fields label')].map(l => l.textContent)")
        picture = PICTURE if os.environ.get("MINTAGE_WRITE_IMAGES") else tmp_path / PICTURE.name
        page.picture(picture, is_whole=False)
        assert page.problems == []
    assert names == ["age", "plan", "calls"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert PICTURE.is_file()
