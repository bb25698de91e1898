"""Stages beside each other, tried again, cut off from the network, with secrets: real commands."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mintage.database.connection import open_database
from mintage.errors import ProjectError, StageFailedError, UnknownNameError
from mintage.pipeline.events import Event
from mintage.pipeline.offline import way
from mintage.pipeline.run import Selection, run_pipeline
from mintage.repo.locks import read_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.tracking.runs import RunStore


class Small:
    """A project of shell lines; ``told`` are the events of its runs."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.workspace = Workspace(root)
        for words in (("init", "-q"), ("config", "user.email", "t@example.org"), ("config", "user.name", "T")):
            self.git(*words)
        self.workspace.prepare()
        self.connection = open_database(self.workspace.database)
        self.runs = RunStore(self.connection, lambda *_: None)
        self.told: list[Event] = []

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.workspace.root, check=True, capture_output=True)

    def write(self, stages: str, **files: str) -> None:
        (self.workspace.root / "mintage.yaml").write_text("project: p\nstages:\n" + stages)
        for name, text in files.items():
            (self.workspace.root / name.replace("_", ".")).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "x", "--allow-empty")

    def run(self, *targets: str, jobs: int = 1, **selection):
        self.told.clear()
        return run_pipeline(
            self.workspace,
            runs=lambda: self.runs,
            clock=lambda: "2026-01-01T00:00:00Z",
            actor=lambda: "tester",
            selection=Selection(targets=targets, jobs=jobs, **selection),
            on_event=self.told.append,
        )

    def read(self, name: str) -> str:
        return (self.workspace.root / name).read_text()

    def log(self, stage: str) -> str:
        return max(self.workspace.logs_dir.glob(f"*/{stage}.log"), key=lambda path: path.stat().st_mtime_ns).read_text()


@pytest.fixture
def small(tmp_path):
    made = Small(tmp_path / "a project")
    yield made
    made.connection.close()


MEET = """
  a: {sh: "mkfifo $MEET/a; echo a > $MEET/b & cat $MEET/a > a.txt", env: [MEET], out: [a.txt]}
  b: {sh: "until [ -p $MEET/a ]; do :; done; cat $MEET/b > b.txt & echo b > $MEET/a; wait", env: [MEET], out: [b.txt]}
"""


def test_two_stages_that_wait_for_each_other_run_at_once(small, tmp_path, monkeypatch) -> None:
    os.mkfifo(tmp_path / "b")
    monkeypatch.setenv("MEET", str(tmp_path))
    small.write(MEET)
    small.run(jobs=2)
    assert (small.read("a.txt"), small.read("b.txt")) == ("b\n", "a\n")


def test_the_members_of_a_matrix_are_read_by_the_stage_that_takes_their_folder(small) -> None:
    small.write(
        """
  fit: {sh: "echo ${matrix.d} > ${out.m}", out: {m: "m/${matrix.d}.txt"}, matrix: {d: [3, 1, 2]}}
  best: {sh: "cat m/*.txt | sort | tail -1 > best.txt", in: [m/], out: [best.txt]}
"""
    )
    small.run(jobs=2)
    assert small.read("best.txt") == "3\n"
    small.write(
        """
  fit: {sh: "echo ${matrix.d} > ${out.m}", out: {m: "m/${matrix.d}.txt"}, matrix: {d: [3, 1, 2, 4]}}
  best: {sh: "cat m/*.txt | sort | tail -1 > best.txt", in: [m/], out: [best.txt]}
"""
    )
    assert small.run("best").actions == {
        **{f"fit@d={d}": "keep" for d in (3, 1, 2)},
        "fit@d=4": "run",
        "best": "run",
    }


FAILS = """
  good: {sh: "echo 1 > good.txt", out: [good.txt]}
  bad: {sh: "echo oh no; exit 7", out: [bad.txt]}
  after: {sh: "cat bad.txt > after.txt", in: [bad.txt], out: [after.txt]}
  other: {sh: "cat good.txt > other.txt", in: [good.txt], out: [other.txt]}
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_with_keep_going_a_failure_leaves_out_only_what_needs_it(small, jobs) -> None:
    small.write(FAILS)
    with pytest.raises(StageFailedError, match="stage bad failed: exit code 7"):
        small.run(jobs=jobs, keep_going=True)
    assert small.read("other.txt") == "1\n"
    assert [(event.stage, event.detail) for event in small.told if event.what == "skip"] == [("after", "bad")]
    record = Store(small.workspace.store_dir).get_record(small.runs.list_runs()[0].record)
    assert (record.body["status"], record.body["stages"]["bad"]["action"]) == ("failed", "failed")
    assert read_lock(small.workspace.root, "other") is not None


def test_without_it_nothing_more_starts(small) -> None:
    small.write(FAILS)
    with pytest.raises(StageFailedError):
        small.run()
    assert not (small.workspace.root / "other.txt").exists()
    assert (small.workspace.root / "good.txt").exists()


FLAKY = """
  flaky:
    sh: "n=$(cat $COUNT); echo $((n + 1)) > $COUNT; [ $n -ge 2 ] || exit 5; echo ok > f.txt"
    env: [COUNT]
    out: [f.txt]
    retry: {retry}
"""


def test_a_stage_is_tried_again_and_what_that_took_is_kept(small, tmp_path, monkeypatch) -> None:
    (tmp_path / "count").write_text("0")
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    small.write(FLAKY.replace("{retry}", "{max: 3, on: [5]}"))
    outcome = small.run()
    assert outcome.remarks["flaky"] == ["ended well at attempt 3, after exit code 5, then exit code 5"]
    record = Store(small.workspace.store_dir).get_record(outcome.record)
    assert record.body["stages"]["flaky"]["attempts"] == [{"ended": "exit code 5"}, {"ended": "exit code 5"}]


def test_a_way_of_ending_that_is_not_named_is_not_tried_again(small, tmp_path, monkeypatch) -> None:
    (tmp_path / "count").write_text("0")
    monkeypatch.setenv("COUNT", str(tmp_path / "count"))
    small.write(FLAKY.replace("{retry}", "{max: 3, on: [timeout]}"))
    with pytest.raises(StageFailedError):
        small.run()
    assert (tmp_path / "count").read_text() == "1\n"


@pytest.mark.skipif(way() == "none", reason="this kernel has neither user namespaces nor seccomp")
def test_a_stage_without_network_cannot_reach_what_one_with_it_can(small) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = ("127.0.0.1", server.getsockname()[1])
        code = f"import socket; socket.create_connection({address}, 2); open('r.txt', 'w').write('reached')"
        stage = f'  r:\n    run: [python, -c, "{code}"]\n    out: [r.txt]\n'
        small.write(stage)
        small.run()
        assert small.read("r.txt") == "reached"
        small.write(stage + "    network: false\n")
        with pytest.raises(StageFailedError):
            small.run()


def test_a_secret_is_passed_on_and_kept_nowhere(small, monkeypatch) -> None:
    monkeypatch.setenv("DB", "s3cr3t-of-ours")
    small.write('  s: {sh: "echo $DB; echo ${#DB} > s.txt", secrets: [DB], out: [s.txt]}\n')
    outcome = small.run()
    assert small.read("s.txt") == "14\n"
    assert small.log("s") == "***\n"
    kept = [path for path in small.workspace.state.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"s3cr3t-of-ours" in path.read_bytes()]
    monkeypatch.setenv("DB", "another")
    assert small.run().actions == {"s": "keep"}, "a secret is no part of the key"
    monkeypatch.delenv("DB")
    small.write('  s: {sh: "echo $DB > s.txt", secrets: [DB], out: [s.txt]}\n')
    with pytest.raises(ProjectError, match="needs the secret DB"):
        small.run()
    assert outcome.record


CHAIN = """
  a: {sh: "cat in.txt > a.txt", in: [in.txt], out: [a.txt]}
  b: {sh: "cat a.txt > b.txt", in: [a.txt], out: [b.txt]}
  c: {sh: "cat b.txt > c.txt", in: [b.txt], out: [c.txt]}
  d: {sh: "echo d > d.txt", out: [d.txt]}
"""


def test_from_only_and_changed_since_choose_their_stages(small) -> None:
    small.write(CHAIN, in_txt="1\n")
    small.run()
    small.git("add", "-A")
    small.git("commit", "-qm", "ran")
    assert list(small.run(start="b").actions) == ["b", "c"]
    assert list(small.run("c", only=True).actions) == ["c"]
    assert list(small.run(since="HEAD").actions) == []
    small.write(CHAIN.replace("cat a.txt >", "cat a.txt | cat >"))
    assert small.run(since="HEAD~1").actions == {"b": "run", "c": "keep"}
    with pytest.raises(UnknownNameError, match="no revision 'nowhere'"):
        small.run(since="nowhere")


def test_an_interrupted_run_leaves_no_command_behind(small, tmp_path) -> None:
    line = "touch $MARKS/${item}; while :; do sleep 0.05; done"
    small.write(f'  s: {{sh: "{line}", env: [MARKS], out: ["${{item}}.txt"], foreach: [x, y]}}\n')
    process = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "mintage", "run", "-j2"],
        cwd=small.workspace.root,
        env={**os.environ, "MARKS": str(tmp_path)},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not ((tmp_path / "x").exists() and (tmp_path / "y").exists()):
        assert process.poll() is None and time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    marks = f"MARKS={tmp_path}".encode()
    left = [p for p in Path("/proc").glob("[0-9]*/environ") if os.access(p, os.R_OK) and marks in _bytes(p)]
    assert left == []


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
