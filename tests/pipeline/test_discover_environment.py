"""The interpreter that is named in mintage.yaml, and what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mintage.pipeline.discover.environment import find_environment


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment that has nothing, and one that has a module ``numpy``, but no polars."""
    made = tmp_path_factory.mktemp("place")
    for name in ("bare", ".venv"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made / name)], check=True)
    next((made / ".venv").glob("lib/python3*/site-packages")).joinpath("numpy.py").touch()
    return made


def test_the_environment_of_the_folder_is_named_by_its_relative_path(folder):
    found = find_environment(folder, ["bare", ".venv"], {"numpy", "json"}, {})
    assert (found.named, found.missing, found.passed_over) == (".venv/bin/python", (), None)


def test_one_that_lacks_what_ours_has_is_passed_over_and_that_is_said(folder):
    found = find_environment(folder, [".venv"], {"polars"}, {})
    assert found.named is None and found.missing == ()
    assert found.passed_over == ".venv/bin/python lacks polars"


def test_where_all_lack_something_the_folders_own_is_named_with_what_it_lacks(folder):
    found = find_environment(folder, [".venv"], {"polars", "no_such_module"}, {})
    assert (found.named, found.missing) == (".venv/bin/python", ("no_such_module", "polars"))


def test_without_an_environment_it_is_the_interpreter_that_runs_this(folder):
    found = find_environment(folder, ["conda/elsewhere"], {"no_such_module"}, {})
    assert (found.named, found.missing) == (None, ("no_such_module",))


def test_an_active_environment_elsewhere_is_the_python_on_path(folder, tmp_path):
    variables = {"VIRTUAL_ENV": str(folder / ".venv"), "PATH": f"{folder / '.venv/bin'}:/usr/bin"}
    assert find_environment(tmp_path, [], {"numpy"}, variables).named == "python"
    assert find_environment(tmp_path, [], {"numpy"}, {**variables, "PATH": "/usr/bin"}).named is None


def test_an_environment_whose_python_does_not_start_is_no_environment(tmp_path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text("no program")
    assert find_environment(tmp_path, [".venv"], set(), {}).named is None
