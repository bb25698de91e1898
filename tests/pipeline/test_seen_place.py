"""Giving stages the code around them: one copy of each file, with links to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mintage.pipeline.recording.hooklog import install
from mintage.pipeline.seen.place import place_sources

LATER_NS = time.time_ns() + 10**15


class Bench:
    """A project with two files, and folders to fill from it."""

    def __init__(self, base: Path) -> None:
        self.base, self.root, self.pool = base, base / "root", base / "pool"
        (self.root / "lib").mkdir(parents=True)
        (self.root / "lib/a.py").write_text("A")
        (self.root / "run.sh").write_text("echo")
        (self.root / "run.sh").chmod(0o755)

    def fill(self, name: str, *, now_ns: int = LATER_NS) -> Path:
        work = self.base / name
        work.mkdir(exist_ok=True)
        paths = ["lib/a.py", "run.sh", "gone.py"]
        assert place_sources(paths, root=self.root, work=work, pool=self.pool, now_ns=now_ns) == paths[:2]
        return work


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def number(path: Path) -> int:
    return path.stat().st_ino


def test_folders_have_links_to_one_copy_and_none_to_the_users_file(bench: Bench) -> None:
    one, two = bench.fill("one"), bench.fill("two")
    assert number(one / "lib/a.py") == number(two / "lib/a.py") != number(bench.root / "lib/a.py")
    assert (two / "lib/a.py").read_text() == "A"
    assert os.access(two / "run.sh", os.X_OK)
    assert not os.access(two / "lib/a.py", os.X_OK)


def test_a_copy_that_a_stage_wrote_to_is_given_to_no_other(bench: Bench) -> None:
    (bench.fill("one") / "lib/a.py").write_text("B")
    assert (bench.fill("two") / "lib/a.py").read_text() == "A"
    assert (bench.root / "lib/a.py").read_text() == "A"


def test_an_edited_file_is_copied_anew(bench: Bench) -> None:
    bench.fill("one")
    (bench.root / "lib/a.py").write_text("edited")
    assert (bench.fill("two") / "lib/a.py").read_text() == "edited"
    assert (bench.base / "one/lib/a.py").read_text() == "A"


def test_a_file_that_was_changed_just_now_is_no_link(bench: Bench) -> None:
    assert (bench.fill("one", now_ns=time.time_ns()) / "lib/a.py").stat().st_nlink == 1


def test_what_is_there_already_stays(bench: Bench) -> None:
    (bench.base / "one/lib").mkdir(parents=True)
    (bench.base / "one/lib/a.py").write_text("mine")
    place_sources(["lib/a.py"], root=bench.root, work=bench.base / "one", pool=bench.pool, now_ns=LATER_NS)
    assert (bench.base / "one/lib/a.py").read_text() == "mine"


def test_copies_of_which_there_are_too_many_go(bench: Bench) -> None:
    bench.pool.mkdir()
    for each in range(1100):
        (bench.pool / str(each)).touch()
    assert (bench.fill("one") / "lib/a.py").read_text() == "A"
    assert not list(bench.pool.iterdir())


@pytest.mark.parametrize("mode", ["w", "a", "r+"])
def test_python_writes_to_a_file_of_its_own(bench: Bench, mode: str) -> None:
    work = bench.fill("one")
    variables = install(bench.base / "hook", dict(os.environ), root=bench.root, work=work, links=[])
    subprocess.run(
        [sys.executable, "-c", f"open('lib/a.py', {mode!r}).write('X')"], cwd=work, env=variables, check=True
    )
    assert (work / "lib/a.py").read_text() == {"w": "X", "a": "AX", "r+": "X"}[mode]
    assert [path.read_text() for path in bench.pool.iterdir() if path.stat().st_size == 1] == ["A"]
