"""The command `mintage run --executor worker`, and that nothing is left of a worker whose run was ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from executor_suite import wait_for_end
from shell_project import ShellProject

from mintage.record.envelope import decode

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "MINTAGE_"))}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ShellProject]:
    made = ShellProject(tmp_path / "a project")
    yield made
    made.connection.close()


def mintage(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mintage", *words],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_command_runs_stages_by_workers_and_one_can_be_run_again_by_hand(project: ShellProject) -> None:
    project.write('  a: {sh: "echo 1; echo 2 > a.txt", out: [a.txt]}\n', more="remote: ../remote\n")
    project.commit()
    done = mintage(project.workspace.root, "run", "--executor", "worker", "--json")
    assert (done.returncode, json.loads(done.stdout)["actions"]) == (0, {"a": "run"})
    action = project.ran("a")["worker"]["action"]
    again = mintage(Path("/"), "worker", action, "--remote", str(project.workspace.root.parent / "remote"))
    assert again.returncode == 0, again.stderr
    answer = json.loads(again.stdout)
    assert answer["outcome"]["outputs"] == project.ran("a")["outputs"]
    assert decode(project.store.get_bytes(action), kind="action").body["stage"] == "a"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_worker_and_no_command(
    project: ShellProject, tmp_path: Path, number: signal.Signals
) -> None:
    os.mkfifo(tmp_path / "never")
    os.mkfifo(tmp_path / "pids")
    line = f"cat {tmp_path}/never & echo $PPID $$ $! > {tmp_path}/pids; wait; echo 1 > a.txt"
    project.write(f'  slow: {{sh: "{line}", out: [a.txt]}}\n', more="remote: ../remote\n")
    project.commit()
    process = subprocess.Popen(
        [sys.executable, "-m", "mintage", "run", "--executor", "worker"],
        cwd=project.workspace.root,
        env=ENVIRONMENT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    handles = [os.pidfd_open(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    process.send_signal(number)
    assert process.wait(60) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    wait_for_end(handles)
    project.write('  slow: {sh: "echo 1 > a.txt", out: [a.txt]}\n', more="remote: ../remote\n")
    assert mintage(project.workspace.root, "run", "--executor", "worker").returncode == 0
    assert list(project.workspace.tmp_dir.glob("*")) == []
