"""The executors of this machine: the contract suite, and what only a worker shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from executor_suite import FILES, FULL, PHRASE, ExecutorSuite
from shell_project import RemoteProject, ShellProject

from mintage.errors import ExtraMissingError, MintageError, RemoteError, StageFailedError, WorkerEnvironmentError
from mintage.pipeline.dispatch.open_executor import open_executor
from mintage.pipeline.dispatch.remote_executor import RemoteExecutor
from mintage.pipeline.dispatch.worker_process import COMMAND, WorkerProcess
from mintage.pipeline.executor import LOCAL, Executor
from mintage.pipeline.recording.protect import is_possible
from mintage.repo.remote import open_remote
from programs import program
from wheels import requirements, write_wheel

ONE = '\n  a: {sh: "cat one.csv > a.txt", in: [one.csv], out: [a.txt]}\n'


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ShellProject]:
    made = RemoteProject(tmp_path / "a project")
    yield made
    made.connection.close()


class TestLocal(ExecutorSuite):
    @pytest.fixture
    def executor(self, project: ShellProject) -> Executor:
        return LOCAL


class TestWorker(ExecutorSuite):
    @pytest.fixture
    def executor(self, project: ShellProject, tmp_path: Path) -> Executor:
        project.write("  none: {sh: 'true', out: [x]}\n")
        return open_executor("worker", project.workspace, home=tmp_path)


@pytest.fixture
def worker(project: ShellProject, tmp_path: Path) -> Executor:
    project.write("  none: {sh: 'true', out: [x]}\n")
    return open_executor("worker", project.workspace, home=tmp_path)


@pytest.mark.skipif(not is_possible(), reason="hiding a folder needs Landlock, Linux 6.2 or later")
def test_a_file_of_the_project_that_is_read_by_its_own_path_is_found_by_a_worker_alone(
    project: ShellProject, worker: Executor
) -> None:
    path = project.workspace.root / "one.csv"
    project.write("\n  peek: {run: python peek.py, out: [a.txt]}\n", FILES)
    (project.workspace.root / "peek.py").write_text(f"open('a.txt', 'w').write(open({str(path)!r}).read())\n")
    project.commit()
    project.run(executor=LOCAL)
    assert project.read("a.txt") == "one\n"
    with pytest.raises(StageFailedError, match="Permission denied") as caught:
        project.run(force=True, executor=worker)
    assert "so: `in: [one.csv]`" in str(caught.value.hint)


def test_what_a_worker_gets_has_no_value_of_a_variable_or_secret(
    project: ShellProject, worker: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION", "europe-central")
    monkeypatch.setenv("PASS_PHRASE", PHRASE)
    project.write(FULL, FILES)
    (project.workspace.root / "tool.sh").chmod(0o755)
    project.commit()
    project.run(executor=worker)
    action = project.ran("train")["worker"]["action"]
    body = project.store.get_record(action, kind="action").body
    assert (body["env"], body["secrets"], body["key"]) == (["REGION"], ["PASS_PHRASE"], project.ran("train")["key"])
    remote = open_remote(project.workspace, home=Path("/"), make=False)
    told = [path for path in remote.root.rglob("*") if path.is_file() and PHRASE.encode() in path.read_bytes()]
    assert told == [] and b"europe" not in remote.get_bytes(action)


def test_the_same_work_has_the_same_action_wherever_the_project_lies(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other place"):
        made = ShellProject(tmp_path / name / "project")
        made.write(
            '\n  a: {sh: "cat one.csv > a.txt", in: [one.csv], out: [a.txt]}\n', FILES, more="remote: ../remote\n"
        )
        made.commit()
        made.run(executor=open_executor("worker", made.workspace, home=tmp_path))
        found.append(made.ran("a")["worker"]["action"])
        made.connection.close()
    assert found[0] == found[1]


def test_a_stage_with_another_interpreter_runs_with_it_on_a_worker(project: ShellProject, worker: Executor) -> None:
    named = project.workspace.root / ".venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(named.parent.parent)], check=True)
    project.write(
        "\n  who: {run: python who.py, out: [a.txt], python: .venv/bin/python}\n",
        {"who.py": "import sys\nopen('a.txt', 'w').write(sys.prefix)\n"},
    )
    (project.workspace.root / ".gitignore").write_text(".venv\n")
    project.commit()
    project.run(executor=worker)
    assert project.read("a.txt") == str(named.parent.parent)


def test_a_worker_without_the_packages_of_the_key_says_which_differ(
    project: ShellProject, worker: RemoteExecutor, tmp_path: Path
) -> None:
    project.write('\n  a: {sh: "echo 1 > a.txt", out: [a.txt]}\n')
    project.commit()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "other")], check=True)
    site = next((tmp_path / "other").glob("lib/*/site-packages"))
    (site / "same.pth").write_text("\n".join(folder for folder in sys.path if Path(folder).is_dir()))
    (site / "another-1.0.dist-info").mkdir()
    (site / "another-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: another\nVersion: 1.0\n")
    command = [str(tmp_path / "other/bin/python"), *COMMAND[1:]]
    there = RemoteExecutor(
        worker.remote,
        lambda workspace, job, _: WorkerProcess(job, folder=workspace.tmp_dir / "w", command=command),
        variables={},
        is_here=True,
    )
    with pytest.raises(WorkerEnvironmentError) as caught:
        project.run(executor=there)
    assert caught.value.found == "another too"


def test_a_variable_that_looks_secret_is_not_sent_along(
    project: ShellProject, worker: RemoteExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "tell-nobody-this")
    project.write('\n  a: {sh: "echo 1 > a.txt", out: [a.txt], env: [API_TOKEN]}\n')
    project.commit()
    command = ["env", "-u", "API_TOKEN", *COMMAND]
    there = RemoteExecutor(
        worker.remote,
        lambda workspace, job, _: WorkerProcess(job, folder=workspace.tmp_dir / "w", command=command),
        variables=os.environ,
        is_here=True,
    )
    with pytest.raises(WorkerEnvironmentError, match="the variable API_TOKEN is not on the worker"):
        project.run(executor=there)


def test_a_project_without_a_remote_is_told_that_a_worker_needs_one(tmp_path: Path) -> None:
    made = ShellProject(tmp_path / "project")
    made.write("  a: {sh: 'true', out: [x]}\n")
    with pytest.raises(RemoteError, match="names no remote"):
        open_executor("worker", made.workspace, home=tmp_path)
    made.connection.close()


class TestWhatAWorkerMustHave:
    @pytest.fixture
    def executor(self, project: ShellProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Executor:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        project.write("  none: {sh: 'true', out: [x]}\n")
        return open_executor("worker", project.workspace, home=tmp_path)

    @pytest.mark.skipif(program("uv") is None, reason="needs uv: pip install uv")
    def test_an_environment_is_built_from_its_lock_there_and_kept_for_the_next_one(
        self, project: ShellProject, executor: Executor, tmp_path: Path
    ) -> None:
        pin = write_wheel(tmp_path / "wheels", "tiny", "1.0")
        says = "import sys, tiny\nopen('a.txt', 'w').write(f'{tiny.VERSION} {sys.prefix}')\n"
        lock = requirements(tmp_path / "wheels", {"tiny==1.0": pin})
        stages = "  a: {run: python a.py, out: [a.txt]}\n"
        project.write(stages, {"a.py": says, "r.txt": lock}, more="python: {lock: r.txt}\n")
        project.commit()
        assert project.run(executor=executor).actions == {"a": "run"}
        (home,) = [path for path in (tmp_path / "cache/mintage/pythons").iterdir() if path.is_dir()]
        assert project.read("a.txt") == f"1.0 {home}"
        assert project.run().actions == {"a": "keep"}
        built = home.stat().st_ctime_ns
        project.run(executor=executor, force=True)
        assert home.stat().st_ctime_ns == built

    def test_what_is_read_outside_the_project_is_to_be_the_same(
        self, project: ShellProject, executor: Executor, outside: Path
    ) -> None:
        (outside / "rates.csv").write_text("1\n")
        project.write(f'\n  a: {{sh: "cat {outside}/rates.csv > a.txt", out: [a.txt], reads: [{outside}/rates.csv]}}\n')
        project.commit()
        project.run(executor=executor, sandbox=True)
        assert project.read("a.txt") == "1\n"
        assert project.run().actions == {"a": "keep"}

    def test_a_stage_in_a_container_is_refused_with_what_to_do(self, project: ShellProject, executor: Executor) -> None:
        image = f"debian@sha256:{'0' * 64}"
        project.write(f"\n  a: {{sh: 'echo > a.txt', out: [a.txt], image: '{image}'}}\n")
        project.commit()
        with pytest.raises(MintageError) as caught:
            project.run(executor=executor)
        assert "container" in caught.value.message


LOGS = """
from mlflow_layout import add_model, new_run, write_files
top = new_run("calm-fox", params={"rate": "1"}, metrics=[("loss", 0.5, 0, 5)])
top["files"]["notes/a.txt"] = "a note"
write_files("mlruns", [top])
open("a.txt", "w").write("a")
"""


def test_what_a_stage_logs_with_mlflow_on_a_worker_is_kept_and_tracked(project: ShellProject, worker: Executor) -> None:
    layout = Path(__file__).with_name("mlflow_layout.py").read_text()
    project.write("\n  a: {run: python a.py, out: [a.txt]}\n", {"a.py": LOGS, "mlflow_layout.py": layout})
    project.commit()
    project.run(executor=worker)
    ran = project.ran("a")
    logged = project.store.get_record(ran["mlflow"], kind="mlflow-log").body
    assert ran["metrics"] == {"loss": 0.5}
    assert [project.store.get_bytes(file["digest"]) for file in logged["runs"][0]["artifacts"]] == [b"a note"]


@pytest.mark.slow
def test_a_notebook_that_stops_on_a_worker_is_told_by_its_cell_and_lies_beside_the_log(
    project: ShellProject, worker: Executor
) -> None:
    notebook = {
        "cells": [
            {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
            for source in ("rows = open('one.csv').read()", "open('a.txt', 'w').write(rows)\nprint(rows + 1)")
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    project.write(
        "\n  note: {run: note.ipynb, in: [one.csv], out: [a.txt]}\n", FILES | {"note.ipynb": json.dumps(notebook)}
    )
    project.commit()
    with pytest.raises(StageFailedError, match="stage note failed in cell 2") as caught:
        project.run(executor=worker)
    executed = json.loads(Path(str(caught.value.where)).read_text())
    assert executed["cells"][1]["outputs"][0]["ename"] == "TypeError"
    notebook["cells"][1]["source"] = "open('a.txt', 'w').write(rows)"  # type: ignore[index]  # of JSON
    (project.workspace.root / "note.ipynb").write_text(json.dumps(notebook))
    project.run(executor=worker)
    assert project.read("a.txt") == "one\n"
    assert json.loads(project.store.get_bytes(project.ran("note")["notebook"]))["cells"][1]["execution_count"] == 2


@pytest.mark.skipif(find_spec("ray") is not None, reason="Ray is installed here")
def test_without_ray_the_extra_is_named(project: ShellProject, tmp_path: Path) -> None:
    project.write("  none: {sh: 'true', out: [x]}\n")
    with pytest.raises(ExtraMissingError) as caught:
        open_executor("ray", project.workspace, home=tmp_path)
    assert caught.value.hint == "pip install 'mintage[ray]'"
