"""What the tests of the repository look at: its root, its files, the syntax trees of its source."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """Every file that Git tracks or would track, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return sorted({Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()})


@pytest.fixture(scope="session")
def source_trees() -> dict[str, ast.Module]:
    """The syntax tree of each module of the package, by path below src/mintage; project templates are not ours."""
    package = ROOT / "src" / "mintage"
    paths = (path for path in sorted(package.rglob("*.py")) if "templates" not in path.relative_to(package).parts[:1])
    return {
        path.relative_to(package).as_posix(): ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in paths
    }
