"""A team of clones, made once; each test has a copy of its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from team import Team, make_team


@pytest.fixture(scope="session")
def _team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return make_team(tmp_path_factory.mktemp("team") / "team")


@pytest.fixture
def team(_team: Team, tmp_path: Path) -> Team:
    """Ana's clone, and a remote that has what she pushed."""
    shutil.copytree(_team.folder, tmp_path / "team", symlinks=True)
    return Team(tmp_path / "team")
