"""Where npm packages are looked for, and what a runtime says that is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from js_runtime_suite import bit_graph

from mintage.errors import RuntimeFailedError
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.node_packages import VARIABLE, find_package
from mintage.model.runtimes.ort_node import RUNTIME as ORT_NODE
from mintage.model.runtimes.ort_web import RUNTIME as ORT_WEB


def install(folder: Path, name: str, package: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "package.json").write_text(package)
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """A program on the PATH of ``bare``."""
    (folder / "a" / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / "a" / name).chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without packages, on a machine without programs."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "a"))
    return tmp_path


def test_a_package_is_found_in_a_parent_folder(bare: Path) -> None:
    assert find_package("somewhat") is None
    install(bare / "node_modules", "somewhat", '{"name": "somewhat", "version": "1.2.3"}')
    found = find_package("somewhat")
    assert found is not None
    assert (found.folder, found.version) == (bare / "node_modules" / "somewhat", "1.2.3")


def test_the_nearest_folder_wins_and_the_variable_before_all(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, version in ((bare, "1"), (bare / "a", "2"), (bare / "elsewhere", "3")):
        install(folder / "node_modules", "somewhat", f'{{"version": "{version}"}}')
    near = find_package("somewhat")
    monkeypatch.setenv(VARIABLE, str(bare / "elsewhere" / "node_modules"))
    named = find_package("somewhat")
    assert near is not None
    assert named is not None
    assert (near.version, named.version) == ("2", "3")


def test_nothing_else_is_looked_at_when_the_variable_is_set(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(bare / "node_modules", "somewhat", '{"version": "1"}')
    monkeypatch.setenv(VARIABLE, str(bare / "empty"))
    assert find_package("somewhat") is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": 3}', '{"name": "somewhat"}'])
def test_a_broken_package_file_does_not_count(bare: Path, text: str) -> None:
    install(bare / "a" / "node_modules", "somewhat", text)
    assert find_package("somewhat") is None


def test_a_global_package_is_found_by_npm(bare: Path) -> None:
    install(bare / "global", "somewhat", '{"version": "4"}')
    program(bare, "npm", f"echo '{bare / 'global'}'")
    found = find_package("somewhat")
    assert found is not None
    assert found.version == "4"


def test_what_is_missing_is_named_with_the_command_that_installs_it(bare: Path) -> None:
    nothing = ORT_NODE.find()
    assert isinstance(nothing, Missing)
    assert (nothing.what, nothing.hint) == ("Node is not on the PATH", "run `apt-get install nodejs npm`")
    program(bare, "node", "exit 1")
    for runtime, package in ((ORT_NODE, "onnxruntime-node"), (ORT_WEB, "onnxruntime-web")):
        found = runtime.find()
        assert isinstance(found, Missing)
        assert package in found.what
        assert f"npm install --ignore-scripts {package}" in found.hint


def test_a_program_that_does_not_start_is_missing(bare: Path) -> None:
    for package in ("onnxruntime-node", "onnxruntime-web"):
        install(bare / "node_modules", package, '{"version": "1.30.0"}')
    missing = ORT_WEB.find()
    assert isinstance(missing, Missing)
    assert "apt-get install chromium" in missing.hint
    for name, runtime in (("node", ORT_NODE), ("chromium", ORT_WEB)):
        program(bare, name, "exit 1")
        found = runtime.find()
        assert isinstance(found, Missing)
        assert "does not start" in found.what


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo 'no such library' >&2; exit 127", "no such library"),
        ("exit 3", "exit code 3"),
        ("echo 'hello'; cat > /dev/null", "malformed"),
        ('printf \'{"error": "out of memory"}\\n\'; exit 1', "out of memory"),
    ],
)
def test_a_node_that_does_not_answer_is_an_error_with_what_it_printed(bare: Path, script: str, found: str) -> None:
    onnx, signature, _ = bit_graph()
    install(bare / "node_modules", "onnxruntime-node", '{"version": "1.30.0"}')
    program(bare, "node", f"PATH={os.defpath}; {script}")
    (bare / "work").mkdir()
    with pytest.raises(RuntimeFailedError) as caught, ORT_NODE.open(onnx, signature, bare / "work"):
        pass
    assert found in str(caught.value.found)


def test_a_chromium_that_ends_at_once_is_an_error_with_what_it_printed(bare: Path) -> None:
    onnx, signature, _ = bit_graph()
    install(bare / "node_modules", "onnxruntime-web", '{"version": "1.30.0"}')
    program(bare, "chromium", "echo 'no display' >&2; exit 1")
    (bare / "work").mkdir()
    with pytest.raises(RuntimeFailedError) as caught, ORT_WEB.open(onnx, signature, bare / "work"):
        pass
    assert caught.value.found == "no display\n"
