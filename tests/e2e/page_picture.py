"""A picture of a page, drawn by a browser; docs/images gets it only with ``MINTAGE_WRITE_IMAGES=1``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["draw_page"]

_FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars"


def draw_page(page: Path, picture: Path, *, height: int, scratch: Path) -> None:
    """Draw the top of ``page``, and see that it is a picture; skips the test where there is no browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs a browser: `apt-get install chromium fonts-dejavu-core`")
    drawn = scratch / "page.png"
    flags = [*_FLAGS.split(), f"--user-data-dir={scratch / 'profile'}", f"--window-size=960,{height}"]
    subprocess.run(
        [chromium, *flags, f"--screenshot={drawn}", page.as_uri()], capture_output=True, timeout=120, check=True
    )
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert drawn.stat().st_size > 20_000
    if os.environ.get("MINTAGE_WRITE_IMAGES"):
        picture.write_bytes(drawn.read_bytes())
