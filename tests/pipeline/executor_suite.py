"""What every executor must pass. A test file of an executor has a class of it, and says how it is opened:

    class TestLocal(ExecutorSuite):
        @pytest.fixture
        def executor(self, project):
            return LOCAL

Stages are shell lines and small scripts in a project of their own; ``outside`` is a folder that is not the project's,
which they can tell things through on one machine.
"""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.errors import StageChangesInputError, StageFailedError, StageOutputMissingError, StageStoppedError
from mintage.pipeline.attempts import attempt_stage
from mintage.pipeline.executor import LOCAL, Executor
from mintage.pipeline.facts import Inspector
from mintage.store.statcache import StatCache
from small_project import wait_until

_PATIENCE_S = 60.0
_SAME = ("key", "parts", "inputs", "outputs", "metrics", "environment", "log", "seeds", "used", "remarks", "variables")

FULL = """
  train:
    run: python train.py
    in: [data/, one.csv]
    out: [model.bin, folder/]
    metrics: [m.json]
    params: [depth]
    env: [REGION]
    secrets: [PASS_PHRASE]
    code: [tool.sh]
    seed: 3
    threads: 1
    determinism: same-machine
"""
TRAIN = """
import json, os, random, subprocess, mintage, shout
random.seed(mintage.seed())
mintage.log_metrics({"loss": 0.5, "strange": float("inf")}, step=4)
print("region", os.environ["REGION"], "phrase", os.environ["PASS_PHRASE"])
rows = "".join(open("data/" + name).read() for name in sorted(os.listdir("data"))) + open("one.csv").read()
taken = [str(mintage.params()), open("params.yaml").read(), str(random.random())]
open("model.bin", "w").write(shout.shout(rows) + "".join(taken))
os.makedirs("folder/deep")
said = subprocess.run(["./tool.sh"], capture_output=True, text=True, check=True).stdout
open("folder/deep/said.txt", "w").write(said)
json.dump({"auc": 0.75}, open("m.json", "w"))
open("extra.txt", "w").write("not declared")
"""
FILES = {
    "train.py": TRAIN,
    "shout.py": "def shout(text):\n    return text.upper()\n",
    "tool.sh": "#!/bin/sh\necho tool\n",
    "params.yaml": "depth: 3\nother: 4\n",
    "data/a.csv": "a\n",
    "data/b.csv": "b\n",
    "one.csv": "one\n",
}
PHRASE = "correct-horse-battery"


class ExecutorSuite:
    """Override ``executor``."""

    @pytest.fixture
    def executor(self, project: ShellProject) -> Executor:
        raise NotImplementedError

    def test_a_stage_leaves_the_same_outputs_and_record_as_here(
        self, project: ShellProject, executor: Executor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REGION", "eu")
        monkeypatch.setenv("PASS_PHRASE", PHRASE)
        project.write(FULL, FILES)
        (project.workspace.root / "tool.sh").chmod(0o755)
        project.commit()
        project.run(executor=LOCAL)
        here, model = project.ran("train"), project.read("model.bin")
        (project.workspace.root / "model.bin").unlink()
        assert project.run(force=True, executor=executor).actions == {"train": "run"}
        there = project.ran("train")
        assert {name: there.get(name) for name in _SAME} == {name: here.get(name) for name in _SAME}
        assert (project.read("model.bin"), project.read("folder/deep/said.txt")) == (model, "tool\n")
        assert there["metrics"] == {"loss": 0.5, "auc": 0.75}
        assert any("extra.txt" in remark for remark in there["remarks"])
        assert project.store.get_bytes(there["log"]) == b"region eu phrase ***\n"
        assert project.run(executor=executor).actions == {"train": "keep"}

    def test_a_command_that_fails_is_told_with_what_it_said_and_nothing_is_kept(
        self, project: ShellProject, executor: Executor
    ) -> None:
        project.write('\n  bad: {sh: "echo half > half.txt; echo oh no; exit 7", out: [half.txt]}\n')
        project.commit()
        with pytest.raises(StageFailedError, match=r"stage bad failed: exit code 7\noh no") as caught:
            project.run(executor=executor)
        assert caught.value.ended == 7
        assert Path(str(caught.value.where)).read_text() == "oh no\n"
        assert not (project.workspace.root / "half.txt").exists()
        assert not (project.workspace.root / "mintage.lock").exists()

    def test_a_declared_output_that_was_not_written_is_named(self, project: ShellProject, executor: Executor) -> None:
        project.write('\n  lazy: {sh: "echo done; printf almost", out: [never.txt]}\n')
        project.commit()
        with pytest.raises(StageOutputMissingError, match=r"did not write never\.txt"):
            project.run(executor=executor)
        assert [log.read_text() for log in project.workspace.logs_dir.glob("*/lazy.log")] == ["done\nalmost"]

    def test_a_stage_that_changes_its_input_is_reported(self, project: ShellProject, executor: Executor) -> None:
        project.write('\n  edit: {sh: "cp one.csv b.txt; echo more >> one.csv", in: [one.csv], out: [b.txt]}\n', FILES)
        project.commit()
        with pytest.raises(StageChangesInputError, match=r"changes what it reads: one\.csv"):
            project.run(executor=executor)
        assert project.read("one.csv") == "one\n"

    def test_a_stage_over_its_time_is_ended(self, project: ShellProject, executor: Executor, outside: Path) -> None:
        os.mkfifo(outside / "never")
        project.write(f'\n  slow: {{sh: "cat {outside}/never", out: [a.txt], timeout_s: 1}}\n')
        project.commit()
        with pytest.raises(StageFailedError, match="still running after 1 s") as caught:
            project.run(executor=executor)
        assert caught.value.ended == "timeout"

    def test_a_failed_attempt_is_tried_again_and_the_log_has_both(
        self, project: ShellProject, executor: Executor, outside: Path
    ) -> None:
        line = f"mkdir {outside}/once && exit 5; echo second; echo ok > f.txt"
        project.write(f'\n  flaky: {{sh: "echo try; {line}", out: [f.txt], retry: {{max: 1}}}}\n')
        project.commit()
        project.run(executor=executor)
        ran = project.ran("flaky")
        assert ran["attempts"] == [{"ended": "exit code 5"}]
        said = project.store.get_bytes(ran["log"]).decode()
        assert said.count("try") == 2 and said.endswith("second\n")

    def test_two_stages_run_at_once(self, project: ShellProject, executor: Executor, outside: Path) -> None:
        os.mkfifo(outside / "a")
        os.mkfifo(outside / "b")
        first = f"echo a > {outside}/b & cat {outside}/a > a.txt; wait"
        second = f"echo b > {outside}/a & cat {outside}/b > b.txt; wait"
        project.write(f'\n  one: {{sh: "{first}", out: [a.txt]}}\n  two: {{sh: "{second}", out: [b.txt]}}\n')
        project.commit()
        project.run(jobs=2, executor=executor)
        assert (project.read("a.txt"), project.read("b.txt")) == ("b\n", "a\n")

    def test_what_a_command_says_is_in_the_log_while_it_runs(
        self, project: ShellProject, executor: Executor, outside: Path
    ) -> None:
        os.mkfifo(outside / "go")
        project.write(f'\n  slow: {{sh: "echo ready; cat {outside}/go > a.txt", out: [a.txt]}}\n')
        project.commit()
        log = project.workspace.logs_dir / "r" / "slow.log"
        thread = threading.Thread(target=stopped_with, args=(project, executor, "slow", threading.Event()))
        thread.start()
        wait_until(lambda: log.is_file() and log.read_text() == "ready\n", "the line of the command")
        (outside / "go").write_text("went\n")
        thread.join(_PATIENCE_S)
        assert log.read_text() == "ready\n"

    def test_a_file_that_is_not_declared_is_not_there(self, project: ShellProject, executor: Executor) -> None:
        project.write('\n  peek: {sh: "cat one.csv > a.txt", out: [a.txt]}\n', FILES)
        project.commit()
        with pytest.raises(StageFailedError) as caught:
            project.run(executor=executor)
        assert "so: `in: [one.csv]`" in str(caught.value.hint)

    def test_code_that_is_only_found_as_it_runs_is_there_and_counts(
        self, project: ShellProject, executor: Executor
    ) -> None:
        plug = {
            "fit.py": 'import importlib\nopen("a.txt", "w").write(importlib.import_module("plug_" + "one").NAME)\n',
            "plug_one.py": 'NAME = "one"\n',
            "plug_two.py": 'NAME = "two"\n',
        }
        project.write("\n  fit: {run: python fit.py, out: [a.txt]}\n", plug)
        project.commit()
        project.run(executor=executor)
        assert sorted(project.ran("fit")["parts"]["code"]) == ["fit.py", "plug_one.py"]
        (project.workspace.root / "plug_two.py").write_text('NAME = "three"\n')
        assert project.run(executor=executor).actions == {"fit": "keep"}
        (project.workspace.root / "plug_one.py").write_text('NAME = "uno"\n')
        assert project.run(executor=executor).actions == {"fit": "run"}
        assert project.read("a.txt") == "uno"

    def test_the_sandbox_closes_what_is_not_declared(
        self, project: ShellProject, executor: Executor, outside: Path
    ) -> None:
        (outside / "secret.csv").write_text("secret\n")
        project.write(f'\n  peek: {{sh: "cat {outside}/secret.csv > a.txt", out: [a.txt]}}\n')
        project.commit()
        with pytest.raises(StageFailedError, match=r"secret\.csv"):
            project.run(executor=executor, sandbox=True)
        assert project.run(executor=executor, sandbox=False).actions == {"peek": "run"}

    def test_a_run_that_is_stopped_leaves_no_process(
        self, project: ShellProject, executor: Executor, outside: Path
    ) -> None:
        os.mkfifo(outside / "never")
        os.mkfifo(outside / "pids")
        project.write(f'\n  slow: {{sh: "cat {outside}/never & echo $$ $! > {outside}/pids; wait", out: [a.txt]}}\n')
        project.commit()
        stopped = threading.Event()
        ended: list[BaseException | None] = []
        thread = threading.Thread(target=lambda: ended.append(stopped_with(project, executor, "slow", stopped)))
        thread.start()
        handles = [os.pidfd_open(int(pid)) for pid in (outside / "pids").read_text().split()]
        stopped.set()
        thread.join(_PATIENCE_S)
        assert [type(error) for error in ended] == [StageStoppedError]
        wait_for_end(handles)
        assert not any((project.workspace.tmp_dir).glob("*"))


def stopped_with(
    project: ShellProject, executor: Executor, stage: str, stopped: threading.Event
) -> BaseException | None:
    """How an attempt of a stage ends that is stopped on the way."""
    with StatCache(project.workspace.cache_database) as cache:
        facts = Inspector(project.workspace, cache).facts(stage)
    log = project.workspace.logs_dir / "r" / f"{stage}.log"
    try:
        attempt_stage(project.workspace, facts, models={}, log=log, stop=stopped.is_set, executor=executor)
    except StageStoppedError as error:
        return error
    return None


def wait_for_end(handles: list[int]) -> None:
    """Wait until the processes of these handles have ended; they are closed."""
    left = set(handles)
    try:
        while left:
            done = select.select(list(left), [], [], _PATIENCE_S)[0]
            assert done, "a process of the stage is left"
            left -= set(done)
    finally:
        for handle in handles:
            os.close(handle)
