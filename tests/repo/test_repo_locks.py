"""The locks install the same bytes everywhere, and fit pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ["demo", "dev", "ray"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def entries_of(path: Path) -> list[str]:
    """Each requirement with its continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pins_of(path: Path) -> set[tuple[str, str, str]]:
    """Name, version and marker of each requirement."""
    found = set()
    for entry in entries_of(path):
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,._-]+\])?==(\S+)\s*(?:;([^\\]*?))?\s*--hash", entry)
        assert match is not None, entry[:80]
        found.add((normal(match[1]), match[2], (match[3] or "").strip()))
    return found


@pytest.mark.parametrize("kind", LOCKS)
def test_each_locked_requirement_is_pinned_with_hashes(root: Path, kind: str) -> None:
    entries = entries_of(root / "requirements" / f"{kind}.txt")
    assert len(entries) > 20
    loose = [entry[:60] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)]
    assert loose == []


@pytest.mark.parametrize("kind", LOCKS)
def test_lock_names_no_index_and_no_address(root: Path, kind: str) -> None:
    text = (root / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")
    assert re.findall(r"https?:|--(?:extra-)?index-url|--find-links|file:", text) == []


def test_locks_of_demo_and_development_agree(root: Path) -> None:
    assert pins_of(root / "requirements" / "demo.txt") <= pins_of(root / "requirements" / "dev.txt")


@pytest.mark.parametrize("kind", LOCKS)
def test_lock_covers_what_pyproject_asks_for(root: Path, kind: str) -> None:
    configuration = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = configuration["project"]["optional-dependencies"]
    asked, waiting = set(configuration["project"]["dependencies"]), [kind]
    asked |= set(configuration["dependency-groups"]["build"])
    while waiting:
        for requirement in extras[waiting.pop()]:
            inner = re.fullmatch(r"mintage\[(.*)\]", requirement)
            if inner:
                waiting += inner[1].split(",")
            else:
                asked.add(requirement)
    locked = {name for name, _, _ in pins_of(root / "requirements" / f"{kind}.txt")}
    missing = {requirement for requirement in asked if normal(re.split(r"[<>=!;\s\[]", requirement)[0]) not in locked}
    assert missing == set()
