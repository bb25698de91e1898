"""The small project of the tests of experiments; the one with two experiments is made once, and copied."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from experiment_project import ExperimentProject, make_project


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ExperimentProject:
    return make_project(tmp_path / "a project", capsys)


@pytest.fixture(scope="session")
def _swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_project(tmp_path_factory.mktemp("swept") / "a project")
    subprocess.run(made.process("run", "--yes"), cwd=made.root, check=True, capture_output=True)
    made.commit("metrics")
    words = ("exp", "run", "-S", "model.depth=4,6")
    subprocess.run(made.process(*words), cwd=made.root, check=True, capture_output=True)
    return made.root


@pytest.fixture
def swept(_swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ExperimentProject:
    """The project with its own run committed, and experiments of two depths."""
    shutil.copytree(_swept, tmp_path / "a project", symlinks=True)
    return ExperimentProject(tmp_path / "a project", capsys)
