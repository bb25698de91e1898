"""Repeating the stages that made a model, with one thing changed: what runs, what is refused, and what is left."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mintage.database.connection import open_database
from mintage.errors import NotRepeatableError, StageFailedError
from mintage.pipeline.repeat import Edit, Repeated, open_repeater
from mintage.pipeline.run import run_pipeline
from mintage.repo.locks import Item, read_locks
from mintage.repo.workspace import Workspace
from mintage.tracking.runs import RunStore

PROJECT = """\
project: sums
stages:
  split:
    run: python split.py
    in: [data/rows.csv]
    out: [work/train.csv, work/holdout.csv]
  fit:
    run: python fit.py
    in: [work/train.csv, data/factor.csv]
    out: [work/model.txt]
    seed: 5
  report:
    run: python report.py
    in: [work/model.txt]
    out: [work/report.txt]
models:
  sums: {from: work/model.txt}
"""
SPLIT = """\
lines = open("data/rows.csv").read().split()
for name, part in (("train", lines[1:7]), ("holdout", lines[7:])):
    open(f"work/{name}.csv", "w").write("\\n".join([lines[0], *part]) + "\\n")
"""
FIT = """\
import os
rows = open("work/train.csv").read().split()
factor = __import__("wo" + "rds").second(open("data/factor.csv").read())
open("work/model.txt", "w").write(" ".join([*rows, factor, os.environ["MINTAGE_SEED"]]))
"""
MODEL, HOLDOUT = "work/model.txt", "work/holdout.csv"


class Bench:
    """The project after its first run, and where it keeps what it was made from."""

    def __init__(self, root: Path) -> None:
        self.workspace, self.root = Workspace(root), root
        for folder in ("data", "work"):
            (root / folder).mkdir(parents=True)
        self.write("mintage.yaml", PROJECT)
        self.write("split.py", SPLIT)
        self.write("fit.py", FIT)
        self.write("words.py", "def second(text):\n    return text.split()[1]\n")
        self.write("report.py", "open('work/report.txt', 'w').write('made')\n")
        self.write("data/rows.csv", "x,y\n" + "".join(f"{n},{n * n}\n" for n in range(9)))
        self.write("data/factor.csv", "f\n2\n")
        self.git("init", "-q")
        self.commit()
        self.workspace.prepare()
        self.run()

    def run(self) -> None:
        connection = open_database(self.workspace.database)
        runs = RunStore(connection, lambda *_: None)
        run_pipeline(self.workspace, runs=lambda: runs, clock=lambda: "2026-01-01T00:00:00Z", actor=lambda: "tester")
        connection.close()

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        done = subprocess.run(["git", *identity, *words], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "mintage.yaml", "*.py")
        self.git("commit", "-qm", "code")
        return self.git("rev-parse", "HEAD")

    def estimator(self) -> Item:
        return next(item for item in read_locks(self.root)["fit"].outputs if item.path == MODEL)

    def repeated(
        self, edit: Edit | None = None, *, seed: int | None = None, left_s: float = 600.0
    ) -> tuple[Repeated | None, str, str]:
        """What one repetition made, with the text of its model and hold-out."""
        ends = time.monotonic() + left_s
        commit, estimator = self.git("rev-parse", "HEAD"), self.estimator()
        with open_repeater(self.workspace, commit=commit, estimator=estimator, wanted=[HOLDOUT]) as repeater:
            found = repeater(edit=edit, seed=seed, left_s=lambda: ends - time.monotonic())
            if found is None:
                return None, "", ""
            holdout = found.workspace.root / HOLDOUT
            return found, (found.workspace.root / MODEL).read_text(), holdout.read_text() if holdout.exists() else ""

    def files(self) -> dict[str, bytes]:
        """All of the project and of Mintage's state, but for Git's own."""
        paths = (path for path in self.root.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {str(path.relative_to(self.root)): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One that no test changes."""
    return Bench(tmp_path_factory.mktemp("repeat") / "project with spaces")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bench]:
    """One that a test may change."""
    yield Bench(tmp_path / "own")


def negated(column: str, asked: list[str] | None = None) -> Edit:
    """An edit that puts a sign before the last field of each line of a table with that column."""

    def apply(file: Path, path: str) -> bool:
        if asked is not None:
            asked.append(path)
        head, *lines = file.read_text().split()
        if column not in head.split(","):
            return False
        file.write_text("\n".join([head, *(",".join([*line.split(",")[:-1], "-1"]) for line in lines)]) + "\n")
        return True

    return Edit(name=column, apply=apply)


def test_as_recorded_the_same_bytes_come_out_and_nothing_of_the_project_changes(bench: Bench) -> None:
    before, trees = bench.files(), bench.git("worktree", "list")
    found, model, holdout = bench.repeated()
    assert found is not None and found.is_same and found.changed == frozenset()
    assert model == (bench.root / MODEL).read_text() and holdout == (bench.root / HOLDOUT).read_text()
    assert bench.files() == before and bench.git("worktree", "list") == trees
    assert not (bench.workspace.state / "repeat").exists()


def test_a_seed_reaches_the_stages_and_nothing_else_differs(bench: Bench) -> None:
    found, model, _ = bench.repeated(seed=77)
    assert found is not None and not found.is_same and found.changed == {MODEL}
    assert model.endswith(" 2 77") and (bench.root / MODEL).read_text().endswith(" 2 5")
    assert not found.has_changed(HOLDOUT)


def test_a_column_is_changed_where_it_is_first_read_and_the_stages_behind_run_on_that(bench: Bench) -> None:
    asked: list[str] = []
    found, model, holdout = bench.repeated(negated("y", asked))
    assert found is not None and asked == ["data/rows.csv", "data/factor.csv"]
    assert found.changed == {"data/rows.csv", "work/train.csv", HOLDOUT, MODEL}
    assert model.startswith("x,y 0,-1 1,-1") and holdout.split()[1:] == ["6,-1", "7,-1", "8,-1"]


def test_a_change_behind_the_split_runs_only_what_comes_after_it(bench: Bench) -> None:
    found, model, holdout = bench.repeated(negated("f"))
    assert found is not None and found.changed == {"data/factor.csv", MODEL}
    assert model.endswith(" -1 5") and "x,y 0,0 1,1" in model and holdout == ""  # the split did not run


def test_one_repeater_repeats_many_times_each_from_what_was_recorded(bench: Bench) -> None:
    asked: list[str] = []
    with open_repeater(bench.workspace, commit="HEAD", estimator=bench.estimator(), wanted=[HOLDOUT]) as repeater:
        texts = []
        for edit in (negated("y", asked), negated("f", asked), negated("f", asked), None):
            found = repeater(edit=edit, seed=None, left_s=lambda: 600.0)
            assert found is not None
            texts.append((found.workspace.root / MODEL).read_text())
    assert [text[-8:] for text in texts] == ["5,-1 2 5", ",25 -1 5", ",25 -1 5", "5,25 2 5"]
    table, train, factor = "data/rows.csv", "work/train.csv", "data/factor.csv"
    assert asked == [table, factor, *(table, train, factor), factor]  # what had no such column is not asked again


def test_an_edit_that_finds_nothing_to_change_runs_nothing(bench: Bench) -> None:
    assert bench.repeated(negated("other")) == (None, "", "")


def test_other_code_than_that_of_the_run_is_refused_by_name(own: Bench) -> None:
    own.write("fit.py", FIT + "print('changed')\n")
    own.commit()
    with pytest.raises(NotRepeatableError, match=r"fit is not as it was when the model was made: code fit\.py changed"):
        own.repeated()


def test_locks_of_another_run_are_refused(own: Bench) -> None:
    wrong = Item(path=MODEL, digest="b3:" + "0" * 64, size=1)
    with (
        pytest.raises(NotRepeatableError, match=r"of another run than the one that made work/model\.txt"),
        open_repeater(own.workspace, commit="HEAD", estimator=wrong),
    ):
        pass
    elsewhere = Item(path="other.txt", digest=wrong.digest, size=1)
    with (
        pytest.raises(NotRepeatableError, match=r"no stage writes other\.txt"),
        open_repeater(own.workspace, commit="HEAD", estimator=elsewhere),
    ):
        pass
    assert not (own.workspace.state / "repeat").exists()


def test_a_commit_that_is_not_in_this_clone_is_told(bench: Bench) -> None:
    with (
        pytest.raises(NotRepeatableError, match="the commit aaaaaaaaaa that the model was made from is not in this"),
        open_repeater(bench.workspace, commit="a" * 40, estimator=bench.estimator()),
    ):
        pass


def test_an_input_that_the_store_lost_is_told_with_what_brings_it(own: Bench) -> None:
    digest = next(item.digest for item in read_locks(own.root)["split"].inputs)[3:]
    (own.workspace.store_dir / "b3" / digest[:2] / digest[2:]).unlink()
    with pytest.raises(NotRepeatableError, match=r"data/rows\.csv is not in the store") as caught:
        own.repeated()
    assert caught.value.hint == "`mintage pull` brings it"


def test_a_stage_that_fails_on_what_was_changed_says_so(own: Bench) -> None:
    own.write("fit.py", "assert '-1' not in open('work/train.csv').read(), 'a label is below 0'\n" + FIT)
    own.commit()
    own.run()
    assert own.repeated()[0] is not None
    with pytest.raises(StageFailedError, match="a label is below 0"):
        own.repeated(negated("y"))


def test_when_the_time_is_over_the_stage_ends_with_its_children(own: Bench, tmp_path: Path) -> None:
    told = tmp_path / "child"
    waits = (
        "import os, subprocess, sys\n"
        "if os.environ['MINTAGE_SEED'] == '9':\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"    open({str(told)!r}, 'w').write(str(child.pid))\n"
        "    child.wait()\n"
    )
    own.write("fit.py", waits + FIT)
    own.commit()
    own.run()
    with pytest.raises(TimeoutError):
        own.repeated(seed=9, left_s=4.0)
    child = Path(f"/proc/{told.read_text()}/stat")
    deadline = time.monotonic() + 20
    while child.exists() and child.read_text().rsplit(") ", 1)[1][0] != "Z":
        assert time.monotonic() < deadline
    assert not (own.workspace.state / "repeat").exists() and own.git("worktree", "list").count("\n") == 0


def test_without_time_nothing_is_started(bench: Bench) -> None:
    with pytest.raises(TimeoutError):
        bench.repeated(left_s=-1.0)
