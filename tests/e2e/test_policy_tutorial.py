"""The tutorial on policies, typed; and the picture of the certificate page in it.

``MINTAGE_WRITE_IMAGES=1`` writes the picture into docs/images.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tutorial_page import type_page

from small_project import environment

DOCS = Path(__file__).parent.parent.parent / "docs"
PICTURE = DOCS / "images" / "certificate-page.png"
CHROMIUM = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars"


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which the page was typed, and its commands."""
    base = tmp_path_factory.mktemp("policy")
    for name in ("home", "tools", "project"):
        (base / name).mkdir()
    for name, words in {"python": "", "mintage": "-m mintage "}.items():
        (base / "tools" / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words}"$@"\n')
        (base / "tools" / name).chmod(0o755)
    path = f"{base / 'tools'}:/usr/local/bin:/usr/bin:/bin"
    commands = type_page(DOCS / "tutorials" / "policy.md", base / "project", environment(base / "home", PATH=path))
    return base / "project", commands


@pytest.mark.slow
def test_every_command_of_the_page_does_what_it_says(typed: tuple[Path, list[str]]) -> None:
    words = [" ".join(command.split()[:2]) for command in typed[1]]
    assert words.count("mintage certify") == 3
    assert {"mintage policy", "mintage run", "mintage release"} <= set(words)


@pytest.mark.slow
def test_the_certificate_page_is_drawn_by_a_browser(typed: tuple[Path, list[str]], tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs a browser: `apt-get install chromium fonts-dejavu-core`")
    (page,) = (typed[0] / ".mintage/reports").glob("certificate-tumour-*.html")
    picture = tmp_path / "page.png"
    flags = [*CHROMIUM.split(), f"--user-data-dir={tmp_path / 'profile'}", "--window-size=960,900"]
    subprocess.run(
        [chromium, *flags, f"--screenshot={picture}", page.as_uri()], capture_output=True, timeout=120, check=True
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000
    if os.environ.get("MINTAGE_WRITE_IMAGES"):
        PICTURE.write_bytes(picture.read_bytes())
