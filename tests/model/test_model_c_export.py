"""The export to C as a developer gets it: a folder whose own test passes, and fails when the model is another."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hand_made import TASKS, hand_made

from mintage.model.export.c import EXPORT
from mintage.model.package import Package, open_package
from mintage.model.runtimes.base import Missing
from mintage.model.runtimes.c import RUNTIME

pytestmark = pytest.mark.skipif(
    isinstance(RUNTIME.find(), Missing) or shutil.which("make") is None,
    reason="there is no C compiler, or no make: install gcc and make",
)


@pytest.fixture(scope="module")
def package(made: Any) -> Package:
    return open_package(made.built.folder)


@pytest.fixture(scope="module")
def files(package: Package) -> Mapping[str, bytes]:
    return EXPORT.files(package)


def make(folder: Path, files: Mapping[str, bytes], *arguments: str) -> subprocess.CompletedProcess[str]:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_export_is_what_a_developer_needs(package: Package, files: Mapping[str, bytes]) -> None:
    expected = "CARD.md Makefile README.md example.c golden_data.h golden_test.c model.c model.h"
    assert sorted(files) == expected.split()
    assert EXPORT.files(package) == files
    readme = files["README.md"].decode()
    assert package.root in readme
    assert "| amount | `double amount` | number; may be missing; EUR |" in readme
    assert "{{" not in readme.replace("{{}}", "")


def test_its_own_test_passes_on_all_golden_rows(package: Package, files: Mapping[str, bytes], tmp_path: Path) -> None:
    done = make(tmp_path, files, "test", "CFLAGS=-O2 -std=c99 -Wall -Wextra -Werror -ffp-contract=off")
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r"(\d+) rows: 0 differ; largest error (\S+), 0 label flips", done.stdout)
    assert said is not None, done.stdout
    assert int(said[1]) == len(package.golden.values)
    assert float(said[2]) <= package.golden.tolerance


def test_its_example_answers_a_row(files: Mapping[str, bytes], tmp_path: Path) -> None:
    done = make(tmp_path, files, "example", "CFLAGS=-O2 -std=c99 -Wall -Wextra -Wpedantic -Werror")
    assert done.returncode == 0, done.stderr
    said = subprocess.run([tmp_path / "example"], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"probabilities\[0\]: 0\.\d+\nprobabilities\[1\]: 0\.\d+\nlabel: [01] \([01]\)\n", said), said


@pytest.mark.parametrize("task", [task for task in TASKS if task != "binary"])
def test_models_of_every_task_pass_their_own_test(task: str, tmp_path: Path) -> None:
    flags = "CFLAGS=-O1 -std=c99 -Wall -Wextra -Werror -ffp-contract=off"
    done = make(tmp_path, EXPORT.files(hand_made(task)), "test", "example", flags)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 rows: 0 differ" in done.stdout
    said = subprocess.run([tmp_path / "example"], capture_output=True, text=True, check=True).stdout
    assert ("label" in said) == (task in ("multiclass", "two targets"))


@pytest.mark.parametrize("part", ["split", "leaf", "category", "label"])
def test_a_change_of_the_model_turns_its_test_red(part: str, files: Mapping[str, bytes], tmp_path: Path) -> None:
    source = files["model.c"].decode()
    if part == "split":
        # the first split of the first tree, moved so far that no row goes left
        changed = re.sub(r"(_nodes\[\d+\] = \{\n    \{)[^,]+", r"\g<1>-0x1p+99", source, count=1)
    elif part == "leaf":
        changed = re.sub(r"(_leaves\[\d+\] = \{\n    )[^,]+", r"\g<1>0x1p-30", source, count=1)
    elif part == "category":
        changed = source.replace('"city 07', '"City 07', 1)
    else:
        changed = source.replace("out->label = (int)", "out->label = 1 - (int)", 1)
    assert changed != source
    done = make(tmp_path, {**files, "model.c": changed.encode()}, "test")
    assert done.returncode != 0
    assert re.search(r"\d+ rows: [1-9]\d* differ", done.stdout), done.stdout
