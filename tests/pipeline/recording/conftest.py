from __future__ import annotations

from pathlib import Path

import pytest
from recorded import Desk, Project


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"NAME": "Tess", "EMAIL": "tess@example.org"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    made: list[Project] = []

    def project(files: dict[str, str]) -> Project:
        made.append(Project(tmp_path / "a project", files))
        return made[-1]

    yield project
    for one in made:
        one.connection.close()
