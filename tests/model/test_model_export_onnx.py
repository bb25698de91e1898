"""The export for Python: used as its README says, by a process that cannot import mintage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_folder import run, write_export
from hand_made import TASKS, hand_made
from onnx import helper, load_model_from_string, numpy_helper

from mintage.model.export.onnx import EXPORT, REQUIREMENTS
from mintage.model.package import open_package

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def moved_split(onnx: bytes) -> bytes:
    """The graph with one split of its trees moved far away."""
    model = load_model_from_string(onnx)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "nodes_splits":
                splits = numpy_helper.to_array(attribute.t).copy()
                modes = next(numpy_helper.to_array(part.t) for part in node.attribute if part.name == "nodes_modes")
                splits[np.flatnonzero(modes == 0)[0]] += 500.0
                attribute.CopyFrom(helper.make_attribute("nodes_splits", numpy_helper.from_array(splits)))
                data: bytes = model.SerializeToString()
                return data
    raise AssertionError("no trees")


@pytest.mark.parametrize("task", TASKS)
def test_the_test_passes_and_is_red_after_one_threshold_moved(task: str, tmp_path: Path) -> None:
    folder = write_export(EXPORT, hand_made(task), tmp_path)
    good = run(folder, sys.executable, "-I", "test.py")
    (folder / "model.onnx").write_bytes(moved_split((folder / "model.onnx").read_bytes()))
    bad = run(folder, sys.executable, "-I", "test.py")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("ok: 200 golden rows, largest error ")
    assert good.stdout.count("\n") == 1
    assert (bad.returncode, bad.stderr) == (1, "")
    assert bad.stdout.startswith("FAILED: ")


@pytest.mark.parametrize("change", ["a label", "a value", "not a number"])
def test_the_test_is_red_after_a_golden_answer_changed(change: str, tmp_path: Path) -> None:
    folder = write_export(EXPORT, hand_made("two targets"), tmp_path)
    golden = json.loads((folder / "golden.json").read_text())
    if change == "a label":
        golden["labels"][7][1] = (golden["labels"][7][1] + 1) % 3
    else:
        golden["values"][7][4] = float("nan") if change == "not a number" else golden["values"][7][4] + 1e-11
    (folder / "golden.json").write_text(json.dumps(golden))
    done = run(folder, sys.executable, "-I", "test.py")
    assert done.returncode == 1
    assert "FAILED: 1 of 200 golden rows differ, the first is 7" in done.stdout


@pytest.mark.parametrize("task", TASKS)
def test_the_example_prints_rows_and_their_answers(task: str, tmp_path: Path) -> None:
    package = hand_made(task)
    folder = write_export(EXPORT, package, tmp_path)
    done = run(folder, sys.executable, "-I", "example.py")
    assert (done.returncode, done.stderr) == (0, "")
    for output in package.signature.outputs:
        assert f"-> {output.name}: " in done.stdout
    assert ("that is ['no', 'no', 'yes']" in done.stdout) == (task in ("binary", "two targets"))


def test_neither_program_imports_mintage(tmp_path: Path) -> None:
    folder = write_export(EXPORT, hand_made("binary"), tmp_path)
    script = (
        "import runpy, sys\n"
        "sys.modules['mintage'] = None\n"  # any import of it fails
        "runpy.run_path('example.py', run_name='__main__')\n"
        "runpy.run_path('test.py', run_name='__main__')\n"
    )
    done = run(folder, sys.executable, "-I", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_built_model_is_exported_with_its_own_bytes_the_same_each_time(made: Any, tmp_path: Path) -> None:
    package = open_package(made.built.folder)
    first, second = EXPORT.files(package), EXPORT.files(package)
    assert first == second
    for name in ("model.onnx", "signature.json", "CARD.md"):
        assert first[name] == package.files[name]
    assert package.root in first["README.md"].decode()
    assert "{{" not in first["README.md"].decode()
    done = run(write_export(EXPORT, package, tmp_path), sys.executable, "-I", "test.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_its_requirements_are_the_floors_of_this_project() -> None:
    text = PROJECT.read_text(encoding="utf-8")
    for requirement in REQUIREMENTS:
        assert f'"{requirement}",' in text
