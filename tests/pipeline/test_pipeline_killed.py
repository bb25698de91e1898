"""kill -9 of Mintage, and of a stage: nothing goes on running, nothing half-written appears, what was done is kept."""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.errors import StageFailedError
from mintage.pipeline.walls.close import way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc, which is Linux's")

WALLS = ["--no-sandbox", *(["--sandbox"] if way() != "none" else [])]
STAGES = """
  first: {sh: "echo 1 > first.txt", out: [first.txt]}
  a: {sh: "echo half > a.txt; WAIT & WAIT; cat first.txt", in: [first.txt], out: [a.txt, a/], env: [MARK]}
  b:
    run: [python, b.py]
    in: [first.txt]
    out: [b.txt]
    env: [MARK]
    NETWORK
"""
SCRIPT = """
import subprocess
open("b.txt", "w").write("half")
subprocess.run(["sh", "-c", "while :; do sleep 0.05; done"])
"""


@pytest.fixture
def project(tmp_path):
    made = ShellProject(tmp_path / "a project")
    yield made
    made.connection.close()


@contextlib.contextmanager
def begun(project: ShellProject, option: str, mark: str) -> Iterator[None]:
    """A run in a process of its own, with both stages half way; it is killed when the block ends."""
    command = [sys.executable, "-m", "mintage", "run", "-j2", option]
    started = subprocess.Popen(
        command, cwd=project.workspace.root, env={**os.environ, "MARK": mark}, stderr=subprocess.PIPE
    )
    half = f"{glob.escape(str(project.workspace.tmp_dir))}/*/work/[ab].txt"
    deadline = time.monotonic() + 60
    try:
        while len(glob.glob(half)) != len("ab"):  # noqa: PTH207 Path.glob fails where a folder goes meanwhile
            assert started.poll() is None
            assert time.monotonic() < deadline
        yield
    finally:
        started.send_signal(signal.SIGKILL)
        started.communicate()


def left_of(mark: str) -> list[str]:
    """The programs that have the mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "comm").read_text().strip())
        except OSError:
            continue
    return found


@pytest.mark.parametrize(("option", "network"), list(zip(WALLS, ["network: false", "network: true"], strict=False)))
def test_a_killed_run_leaves_no_process_and_no_output_and_the_next_one_says_so(project, option, network) -> None:
    mark = f"{os.getpid()}-{project.workspace.root.parent.name}"
    wait = "sh -c 'while :; do sleep 0.05; done'"
    project.write(STAGES.replace("WAIT", wait).replace("NETWORK", network), {"b.py": SCRIPT})
    project.commit()
    with begun(project, option, mark):
        assert len(left_of(mark)) >= 5, "the test can fail"
    deadline = time.monotonic() + 60
    while left := left_of(mark):
        assert time.monotonic() < deadline, left
    names = {path.name for path in project.workspace.root.iterdir()}
    assert not names & {"a.txt", "a", "b.txt"}
    assert project.read("first.txt") == "1\n"

    quick = STAGES.replace("WAIT & WAIT", "mkdir a").replace("NETWORK", network)
    project.write(quick, {"b.py": "open('b.txt', 'w').write('whole')"})
    command = [sys.executable, "-m", "mintage", "run", option]
    done = subprocess.run(
        command,
        cwd=project.workspace.root,
        env={**os.environ, "MARK": mark},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "first        running" not in done.stderr, "what had ended is kept"
    for name in ("a", "b"):
        assert f"{name}            was interrupted in run " in done.stderr
    assert (project.read("a.txt"), project.read("b.txt")) == ("half\n", "whole")
    assert list(project.workspace.tmp_dir.glob("*")) == []


@pytest.mark.parametrize("option", WALLS)
def test_a_killed_stage_leaves_no_process_and_no_output(project, option, tmp_path, monkeypatch) -> None:
    mark = f"{os.getpid()}-{tmp_path.name}"
    monkeypatch.setenv("MARK", mark)
    line = "echo half > a.txt; sh -c 'while :; do sleep 0.05; done' & kill -9 $$"
    project.write(f'  a: {{sh: "{line}", out: [a.txt], env: [MARK]}}\n')
    project.commit()
    with pytest.raises(StageFailedError, match="ended by signal 9"):
        project.run(sandbox=option == "--sandbox")
    assert left_of(mark) == []
    assert not (project.workspace.root / "a.txt").exists()
