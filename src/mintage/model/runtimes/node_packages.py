"""Where an npm package is: the folders in which it is looked for, first to last.

``MINTAGE_NODE_MODULES`` if it is set, and nowhere else then; otherwise ``node_modules`` in the current folder and its
parents, and what ``npm root -g`` says. Nothing is ever installed.

>>> find_package("a-package-that-nobody-has") is None
True
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

__all__ = ["VARIABLE", "NodePackage", "find_package", "install_hint"]

VARIABLE = "MINTAGE_NODE_MODULES"


class _PackageFile(msgspec.Struct, frozen=True):
    version: str


@dataclass(frozen=True)
class NodePackage:
    """An installed npm package."""

    folder: Path
    version: str


def find_package(name: str) -> NodePackage | None:
    """The package of that name, or None; what is there but cannot be read does not count."""
    for folder in _folders():
        try:
            data = (folder / name / "package.json").read_bytes()
            return NodePackage((folder / name).resolve(), msgspec.json.decode(data, type=_PackageFile).version)
        except (OSError, msgspec.MsgspecError):
            continue
    return None


def install_hint(name: str) -> str:
    """How to get a package."""
    return f"run `npm install --ignore-scripts {name}` here, or let {VARIABLE} name a node_modules folder that has it"


def _folders() -> Iterator[Path]:
    named = os.environ.get(VARIABLE)
    if named:
        yield Path(named)
        return
    here = Path.cwd()
    yield from (folder / "node_modules" for folder in (here, *here.parents))
    npm = shutil.which("npm")
    if npm is not None:
        try:
            done = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return
        if done.stdout.strip():
            yield Path(done.stdout.strip())
