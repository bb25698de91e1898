"""Workers that die, fall silent or answer what is not so change nothing but the count of attempts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.errors import WorkerLostError
from mintage.pipeline.dispatch.remote_executor import RemoteExecutor
from mintage.pipeline.dispatch.worker_process import WorkerProcess
from mintage.repo.remote import open_remote

STAGE = '\n  make: {sh: "echo made > a.txt; echo said aloud", out: [a.txt]}\n'
FAULTS = {
    "dead": "its worker died (signal 9)",
    "silent": "its worker said nothing for 2 s",
    "rubbish": "its worker said what is no message",
    "absent": "its worker answered with a digest that the remote has not",
    "other": "its worker answered with another size of a.txt",
    "bytes": "its worker answered with a digest that is not that of the bytes",
    "path": "its worker answered with other outputs than were asked for",
    "action": "its worker answered for another stage",
}

QUICK = ("dead", "silent", "bytes")  # the others take the same way


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ShellProject]:
    made = ShellProject(tmp_path / "a project")
    yield made
    made.connection.close()


def with_fault(project: ShellProject, fault: str, tmp_path: Path) -> RemoteExecutor:
    project.write(STAGE, more="remote: ../remote\n")
    project.commit()
    script = Path(__file__).with_name("faulty_worker.py")
    command = [sys.executable, str(script), fault, str(tmp_path / "once")]
    return RemoteExecutor(
        open_remote(project.workspace, home=tmp_path, make=True),
        lambda workspace, job, _: WorkerProcess(job, folder=workspace.tmp_dir / job.action[3:], command=command),
        variables={},
        is_here=True,
        silence_s=2.0 if fault.lower() == "silent" else 60.0,
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [pytest.param(*case, marks=[] if case[0] in QUICK else pytest.mark.slow, id=case[0]) for case in FAULTS.items()],
)
def test_a_lost_worker_costs_an_attempt(project: ShellProject, tmp_path: Path, fault: str, said: str) -> None:
    project.run(executor=with_fault(project, fault, tmp_path))
    ran = project.ran("make")
    assert ran["attempts"] == [{"ended": said}]
    assert project.read("a.txt") == "made\n"
    assert project.store.get_bytes(ran["log"]).endswith(b"said aloud\n")  # of a lost one there is what came in time


def test_the_second_answer_of_a_worker_is_not_read(project: ShellProject, tmp_path: Path) -> None:
    project.run(executor=with_fault(project, "TWICE", tmp_path))
    assert "attempts" not in project.ran("make")
    assert project.read("a.txt") == "made\n"


def test_after_three_lost_workers_the_stage_has_failed_and_nothing_has_changed(
    project: ShellProject, tmp_path: Path
) -> None:
    executor = with_fault(project, "DEAD", tmp_path)
    before = project.git("status", "--porcelain")
    with pytest.raises(WorkerLostError) as caught:
        project.run(executor=executor)
    assert caught.value.message == "the stage has no result: its worker died (signal 9)\n(attempt 3)"
    assert project.git("status", "--porcelain") == before
    assert not (project.workspace.root / "mintage.lock").exists()
    assert list(project.workspace.tmp_dir.glob("*")) == []


STARTS = """
if mkdir {folder}/flag; then
  cat {folder}/never &
  echo $! $$ > {folder}/pids
  kill -9 $PPID
  wait
fi
for pid in $(cat {folder}/pids); do
  grep -q "^State:.[^ZX]" /proc/$pid/status 2>/dev/null && exit 9  # one that nobody has waited for has ended, too
done
echo made > a.txt
"""


def test_what_a_killed_worker_had_started_ends_before_the_next_attempt(project: ShellProject, tmp_path: Path) -> None:
    executor = with_fault(project, "never-mind", tmp_path)
    (tmp_path / "once").mkdir()
    os.mkfifo(tmp_path / "never")
    stage = "  make: {run: sh make.sh, out: [a.txt]}\n"
    project.write(stage, {"make.sh": STARTS.format(folder=tmp_path)}, more="remote: ../remote\n")
    project.commit()
    project.run(executor=executor)
    assert project.ran("make")["attempts"] == [{"ended": "its worker died (signal 9)"}]
    assert project.read("a.txt") == "made\n"
