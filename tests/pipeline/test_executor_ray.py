"""Stages as tasks of a Ray cluster on this machine: the contract suite, and tasks whose process is killed."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from executor_suite import PHRASE, ExecutorSuite, stopped_with, wait_for_end
from shell_project import RemoteProject, ShellProject

from mintage.errors import ProjectError, StageStoppedError
from mintage.pipeline.dispatch.open_executor import open_executor
from mintage.pipeline.executor import Executor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One cluster for all tests, a process of its own; whoever may talk to it has its token."""
    if find_spec("ray") is None:
        pytest.skip("pip install 'mintage[ray]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("ray_cluster.py"))],
            env={**os.environ, "PASS_PHRASE": PHRASE},  # a secret is set where stages run, and not sent
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        patch.setenv("RAY_ADDRESS", process.stdout.readline().strip())
        yield  # the executor imports Ray, which puts folders on the path of whoever imports it
        if "ray" in sys.modules:
            sys.modules["ray"].shutdown()
        with process:
            process.stdin.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path, cluster: None) -> Iterator[ShellProject]:
    made = RemoteProject(tmp_path / "a project")
    yield made
    made.connection.close()


@pytest.fixture
def executor(project: ShellProject, tmp_path: Path) -> Executor:
    project.write("  none: {sh: 'true', out: [x]}\n")
    return open_executor("ray", project.workspace, home=tmp_path)


class TestRay(ExecutorSuite):
    @pytest.fixture
    def executor(self, project: ShellProject, tmp_path: Path) -> Executor:
        project.write("  none: {sh: 'true', out: [x]}\n")
        return open_executor("ray", project.workspace, home=tmp_path)


def test_a_task_whose_process_is_killed_costs_an_attempt(
    project: ShellProject, executor: Executor, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "never")
    line = f"mkdir {tmp_path}/flag && kill -9 $PPID && cat {tmp_path}/never; echo made > a.txt"
    project.write(f'\n  make: {{sh: "{line}", out: [a.txt]}}\n')
    project.commit()
    project.run(executor=executor)
    assert project.ran("make")["attempts"] == [{"ended": "its worker died (WorkerCrashedError)"}]
    assert project.read("a.txt") == "made\n"


def test_a_secret_that_the_cluster_has_not_is_named(
    project: ShellProject, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_PHRASE", "only-here")
    project.write('\n  a: {sh: "echo $SIGNING_PHRASE > a.txt", out: [a.txt], secrets: [SIGNING_PHRASE]}\n')
    project.commit()
    with pytest.raises(ProjectError, match="needs the secret SIGNING_PHRASE"):
        project.run(executor=executor)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_command_on_the_cluster(
    project: ShellProject, tmp_path: Path, number: signal.Signals
) -> None:
    os.mkfifo(tmp_path / "never")
    os.mkfifo(tmp_path / "pids")
    line = f"echo $$ > {tmp_path}/pids; cat {tmp_path}/never"
    project.write(f'  slow: {{sh: "{line}", out: [a.txt]}}\n')
    project.commit()
    process = subprocess.Popen(
        [sys.executable, "-m", "mintage", "run", "--executor", "ray"],
        cwd=project.workspace.root,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    handles = [os.pidfd_open(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    process.send_signal(number)
    assert process.wait(60) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    wait_for_end(handles)


def test_a_stage_that_waits_for_a_place_says_so_and_can_be_stopped(project: ShellProject, executor: Executor) -> None:
    project.write("\n  big: {sh: 'true', out: [a.txt], resources: {cpu: 900}}\n")
    project.commit()
    log = project.workspace.logs_dir / "r" / "big.log"

    class Waits(threading.Event):
        def is_set(self) -> bool:
            return log.is_file() and log.read_text() == "(waiting for a place to run)\n"

    assert isinstance(stopped_with(project, executor, "big", Waits()), StageStoppedError)
