"""Environments for tests: interpreters that are not the one that runs the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from sysconfig import get_paths

__all__ = ["borrowed", "install"]


def borrowed(folder: Path, *, without: tuple[str, ...] = ("mintage",)) -> Path:
    """A venv's interpreter that sees the packages of the tests' own environment, but for those named ``without``.

    It links to them, so it is made in no time and needs no network.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    target = Path(subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip())
    for source in {Path(get_paths()["purelib"]), Path(get_paths()["platlib"])}:
        for entry in source.iterdir():
            if not entry.name.lower().lstrip("_").startswith(without) and entry.suffix != ".pth":
                (target / entry.name).symlink_to(entry)
    return python


def install(folder: Path, *packages: str, python: str = sys.executable) -> Path:
    """A venv of ``python`` with ``packages`` from the index, at the versions given; returns its interpreter."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    made = folder / "bin" / "python"
    words = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary", ":all:", *packages]
    done = subprocess.run([made, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made
