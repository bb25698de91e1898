"""The interpreter that a project names: found, frozen, remembered, and refused with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from environments import borrowed

from mintage.errors import FileMalformedError, InterpreterError
from mintage.pipeline import environment
from mintage.pipeline.environment import environment_of, own_environment
from mintage.pipeline.freeze import freeze
from mintage.repo.project import parse_project
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "project").mkdir()
    made = Workspace(tmp_path / "project")
    made.prepare()
    return made


def look(workspace: Workspace, named: str | None) -> environment.Environment:
    with StatCache(workspace.cache_database) as cache:
        return environment_of(workspace, cache, named)


def program(workspace: Workspace, text: str, name: str = "tool") -> str:
    path = workspace.root / name
    path.write_text(text)
    path.chmod(0o755)
    return f"./{name}"


def test_without_a_name_it_is_the_interpreter_that_runs_mintage(workspace: Workspace) -> None:
    found = look(workspace, None)
    assert (found.python, found.named) == (sys.executable, None)
    assert {"numpy", "mintage"} <= {package["name"] for package in found.frozen["packages"]}


def test_naming_the_same_interpreter_changes_no_key(workspace: Workspace) -> None:
    named = look(workspace, sys.executable)
    assert named.key == look(workspace, None).key
    assert named.named == sys.executable


def test_a_named_interpreter_is_frozen_without_mintage_in_it(workspace: Workspace) -> None:
    borrowed(workspace.root / ".venv", without=("mintage", "polars"))
    found = look(workspace, ".venv/bin/python")
    names = {package["name"] for package in found.frozen["packages"]}
    assert "numpy" in names and not {"mintage", "polars"} & names
    assert found.modules == ("joblib", "numpy")
    assert found.python == str(workspace.root / ".venv/bin/python")
    assert found.key != look(workspace, None).key


def test_the_second_look_starts_no_process_until_something_is_installed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = borrowed(workspace.root / ".venv")
    first = look(workspace, ".venv/bin/python")
    with monkeypatch.context() as patch:
        patch.setattr(environment, "_ask", None)
        assert look(workspace, ".venv/bin/python") == first
    site = next(python.parent.parent.glob("lib/python*/site-packages"))
    (site / "new-1.0.dist-info").mkdir()
    (site / "new-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: new\nVersion: 1.0\n")
    second = look(workspace, ".venv/bin/python")
    assert {"name": "new", "version": "1.0"}.items() <= next(
        package.items() for package in second.frozen["packages"] if package["name"] == "new"
    )
    assert second.key != first.key


def test_a_path_in_a_work_tree_means_that_of_the_main_one(workspace: Workspace) -> None:
    borrowed(workspace.root / ".venv")
    other = Workspace(workspace.root / ".mintage/worktrees/x", state=workspace.state)
    other.root.mkdir(parents=True)
    assert look(other, ".venv/bin/python") == look(workspace, ".venv/bin/python")


def test_a_command_is_looked_up_on_path_and_a_script_is_asked_each_time(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(workspace, f'#!/bin/sh\nexec {sys.executable} "$@"\n', "python3.x")
    monkeypatch.setenv("PATH", f"{workspace.root}{os.pathsep}{os.environ['PATH']}")
    assert look(workspace, "python3.x").python == sys.executable
    program(workspace, "#!/bin/sh\necho another >&2\nexit 1\n", "python3.x")
    with pytest.raises(InterpreterError) as caught:
        look(workspace, "python3.x")
    assert caught.value.found == "another"


def test_one_that_is_not_there_says_how_to_make_it(workspace: Workspace) -> None:
    with pytest.raises(InterpreterError, match="is not there") as caught:
        look(workspace, ".venv/bin/python")
    assert caught.value.where == str(workspace.root / ".venv/bin/python")
    assert "python -m venv .venv" in caught.value.hint
    with pytest.raises(InterpreterError, match=r"python9\.99 is not there"):
        look(workspace, "python9.99")


def test_a_folder_or_a_file_that_cannot_be_run_is_refused(workspace: Workspace) -> None:
    (workspace.root / ".venv").mkdir()
    with pytest.raises(InterpreterError, match="cannot be run") as caught:
        look(workspace, "./.venv")
    assert "./.venv/bin/python" in caught.value.hint
    (workspace.root / "plain").write_text("")
    with pytest.raises(InterpreterError, match="cannot be run"):
        look(workspace, "./plain")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("""#!/bin/sh\necho '{"version": [3, 8, 18], "executable": "x"}'\n""", "Python 3.8.18"),
        ("#!/bin/sh\necho 'Unknown option: -I' >&2\nexit 2\n", "Unknown option: -I"),
        ("#!/bin/sh\nexit 4\n", "exit code 4"),
        ("not a program", "Exec format error"),
    ],
)
def test_what_is_not_a_python_of_today_is_refused(workspace: Workspace, text: str, found: str) -> None:
    with pytest.raises(InterpreterError, match="cannot be used") as caught:
        look(workspace, program(workspace, text))
    assert found in caught.value.found
    assert caught.value.expected == "Python 3.9 or later"


def test_a_program_of_the_repository_is_never_started(workspace: Workspace) -> None:
    tool = program(workspace, "#!/bin/sh\ntouch started\n")
    subprocess.run(["git", "init", "-q"], cwd=workspace.root, check=True)
    subprocess.run(["git", "add", "tool"], cwd=workspace.root, check=True)
    (workspace.root / "link").symlink_to("tool")
    for named in (tool, "./link"):
        with pytest.raises(InterpreterError, match="is a file of the repository"):
            look(workspace, named)
    assert not (workspace.root / "started").exists()


def test_its_process_gets_none_of_our_variables(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with pytest.raises(InterpreterError) as caught:
        look(workspace, program(workspace, "#!/bin/sh\nenv >&2\nexit 1\n"))
    assert "PATH=" in caught.value.found and "hunter2" not in caught.value.found


def test_the_own_environment_is_remembered(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with StatCache(workspace.cache_database) as cache:
        first = own_environment(cache)
        monkeypatch.setattr(environment, "describe", None)
        assert own_environment(cache) == first


@pytest.mark.parametrize("value", ["''", '" python"', "[python]", '"a\\nb"'])
def test_a_name_that_can_be_no_program_is_malformed(value: str) -> None:
    with pytest.raises(FileMalformedError):
        parse_project(f"project: p\npython: {value}\n".encode(), where="mintage.yaml")


def test_names_and_versions_are_those_that_the_library_reads() -> None:
    known: dict[str, str] = {}
    for each in distributions():
        known.setdefault(each.metadata["Name"].lower().replace("_", "-"), each.version)
    assert {package["name"]: package["version"] for package in freeze()["packages"]} == known


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.0\n\nName: other\nVersion: 9\n", "1.0"),
        ("name:some-thing\r\nVERSION:  2.0 \r\n\r\nfree text", "2.0"),
        ("Metadata-Version: 2.1\nSummary: Name: other\n  Name: folded\nName: some-thing\n", None),
    ],
)
def test_a_package_says_its_name_before_the_first_empty_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: str | None
) -> None:
    (tmp_path / "some_thing-1.dist-info").mkdir()
    (tmp_path / "some_thing-1.dist-info" / "METADATA").write_bytes(text.encode())
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    (package,) = freeze()["packages"]
    assert (package["name"], package["version"]) == ("some-thing", version)
