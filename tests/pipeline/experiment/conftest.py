"""The small project of the tests of experiments."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiment_project import ExperimentProject, make_project


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ExperimentProject:
    return make_project(tmp_path / "a project", capsys)
