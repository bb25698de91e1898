import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from mintage.data.add import add_path
from mintage.data.checkout import checkout_item
from mintage.data.status import data_states
from mintage.database.connection import open_database
from mintage.errors import (
    DataModifiedError,
    FileMissingError,
    LockedError,
    StageFailedError,
    StageOutputMissingError,
    UnknownNameError,
    UsageError,
)
from mintage.pipeline.run import Selection, run_pipeline
from mintage.pipeline.status import stage_states
from mintage.pipeline.worktree import worktree
from mintage.repo.locks import read_lock, read_locks
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from mintage.store.statcache import StatCache
from mintage.tracking.runs import RunStore

PROJECT = """\
project: sums
stages:
  double:
    run: python double.py
    in: [data/numbers.txt]
    out: [work/doubled.txt]
    params: [factor]
  total:
    run: python total.py
    in: [work/doubled.txt]
    out: [work/total.txt]
    metrics: [work/metrics.json]
    seed: 5
"""
DOUBLE = """\
import mintage
from helper import times
values = [int(line) for line in open("data/numbers.txt")]
open("work/doubled.txt", "w").write("".join(f"{times(v, mintage.params()['factor'])}\\n" for v in values))
mintage.log_metrics({"rows": len(values), "odd": float("nan")})
"""
TOTAL = """\
import json, os
total = sum(int(line) for line in open("work/doubled.txt"))
open("work/total.txt", "w").write(f"{total} {os.environ['MINTAGE_SEED']}")
json.dump({"sum": {"value": total}}, open("work/metrics.json", "w"))
"""


class Bench:
    """One small project on disk with what is needed to run it."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        (root / "data").mkdir(parents=True)
        self.write("mintage.yaml", PROJECT)
        self.write("params.yaml", "factor: 2\nunrelated: 1\n")
        self.write("double.py", DOUBLE)
        self.write("total.py", TOTAL)
        self.write("helper.py", "def times(v, f):\n    return v * f\n")
        self.write("data/numbers.txt", "1\n2\n3\n")
        self.git("init", "-q")
        self.git("config", "user.email", "t@example.org")
        self.git("config", "user.name", "T")
        self.git("add", "-A")
        self.git("commit", "-qm", "start")
        self.workspace.prepare()
        self.connection = open_database(self.workspace.database)
        self.audited: list[tuple[str, str]] = []
        self.runs = RunStore(self.connection, lambda action, resource, details: self.audited.append((action, resource)))

    def write(self, name: str, text: str) -> None:
        (self.workspace.root / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.workspace.root / name).read_text()

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.workspace.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def run(self, workspace: Workspace | None = None, **options):
        return run_pipeline(
            workspace or self.workspace,
            runs=lambda: self.runs,
            clock=lambda: "2026-01-01T00:00:00Z",
            actor=lambda: "tester",
            **options,
        )

    def reasons(self) -> dict[str, tuple[str, ...]]:
        with StatCache(self.workspace.cache_database) as cache:
            return {state.name: state.reasons for state in stage_states(self.workspace, cache, [])}


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "project with spaces")
    yield made
    made.connection.close()


def test_a_run_executes_all_stages_and_records_what_it_did(bench):
    outcome = bench.run()
    assert outcome.actions == {"double": "run", "total": "run"}
    assert bench.read("work/total.txt") == "12 5"
    record = Store(bench.workspace.store_dir).get_record(outcome.record, kind="run")
    assert record.body["commit"] == bench.git("rev-parse", "HEAD")
    assert record.body["dirty"] is False
    assert record.body["params"] == {"factor": 2, "unrelated": 1}
    assert record.body["hardware"]["cores"] >= 1
    assert record.body["stages"]["double"]["parts"]["code"].keys() == {"double.py", "helper.py"}
    assert read_lock(bench.workspace.root, "double").inputs[0].digest in record.upstream
    assert any(package["name"] == "numpy" for package in _environment(bench, record)["packages"])
    assert bench.runs.metrics_of(outcome.run_id)["sum.value"] == 12
    assert bench.runs.metrics_of(outcome.run_id)["odd"] != bench.runs.metrics_of(outcome.run_id)["odd"]
    assert bench.runs.params_of(outcome.run_id) == {"factor": 2, "unrelated": 1}
    assert bench.runs.artifacts_of(outcome.run_id)[0].path == "work/doubled.txt"
    assert [action for action, _ in bench.audited] == ["run.start", "run.finish"]


def _environment(bench, record):
    return json.loads(Store(bench.workspace.store_dir).get_bytes(record.body["environment"]))


def test_a_second_run_does_nothing(bench):
    bench.run()
    assert bench.run().actions == {"double": "keep", "total": "keep"}
    assert bench.run().run_id is None
    assert bench.reasons() == {"double": (), "total": ()}


def test_a_parameter_reruns_only_what_depends_on_it(bench):
    bench.run()
    bench.write("params.yaml", "factor: 2\nunrelated: 9\n")
    assert set(bench.run().actions.values()) == {"keep"}
    bench.write("params.yaml", "factor: 3\nunrelated: 9\n")
    assert bench.reasons() == {"double": ("params.factor changed: 2 -> 3",), "total": ("waits for double",)}
    assert bench.run().actions == {"double": "run", "total": "run"}
    bench.write("params.yaml", "factor: 2\nunrelated: 9\n")
    assert bench.run().actions == {"double": "restore", "total": "restore"}
    assert bench.read("work/total.txt") == "12 5"


def test_a_helper_module_is_part_of_the_key_without_being_declared(bench):
    bench.run()
    bench.write("helper.py", "def times(v, f):\n    return f * v\n")
    assert bench.reasons()["double"][0].startswith("code helper.py changed")
    assert bench.run().actions == {"double": "run", "total": "keep"}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("seed: 5", "seed: 6", "seed changed: 5 -> 6"),
        ("run: python total.py", "run: python total.py now", "command changed: python total.py -> python total.py now"),
        ("out: [work/total.txt]", "out: [work/total.txt]\n    threads: 1", "threads changed: None -> 1"),
    ],
)
def test_each_part_of_the_key_is_explained(bench, old, new, reason):
    bench.run()
    bench.write("mintage.yaml", PROJECT.replace(old, new))
    assert reason in bench.reasons()["total"]


def test_an_undeclared_input_is_not_there(bench):
    bench.write("secret.txt", "7")
    bench.write("total.py", "open('secret.txt')\n" + TOTAL)
    with pytest.raises(StageFailedError) as caught:
        bench.run()
    assert "secret.txt" in str(caught.value)
    assert "name it under `in:`" in caught.value.hint


def test_a_failing_stage_keeps_what_was_done_and_says_why(bench):
    bench.write("total.py", "import sys\nprint('close to the end')\nsys.exit(3)\n")
    with pytest.raises(StageFailedError, match="close to the end") as caught:
        bench.run()
    assert caught.value.found == "exit code 3"
    row = bench.runs.list_runs()[0]
    assert row.status == "failed"
    record = Store(bench.workspace.store_dir).get_record(row.record, kind="run")
    assert record.body["stages"]["total"]["error"]["code"] == "pipeline.stage-failed"
    assert not (bench.workspace.root / "work/total.txt").exists()
    bench.write("total.py", TOTAL)
    assert bench.run().actions == {"double": "keep", "total": "run"}


def test_a_stage_that_writes_no_output_is_an_error(bench):
    bench.write("total.py", "print('nothing')\n")
    with pytest.raises(StageOutputMissingError, match=r"work/total.txt"):
        bench.run()


def test_a_stage_over_its_time_is_ended_with_its_children(bench):
    bench.write("mintage.yaml", PROJECT.replace("seed: 5", "timeout_s: 1"))
    bench.write(
        "total.py",
        "import subprocess, sys, os\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('child', child.pid, flush=True)\nchild.wait()\n",
    )
    with pytest.raises(StageFailedError, match="still running after 1 s") as caught:
        bench.run()
    child = int(str(caught.value).split("child ")[1].split()[0])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and _state(child) != "Z":
        assert time.monotonic() < deadline
    assert not list(bench.workspace.tmp_dir.glob("*"))


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    except FileNotFoundError:
        return "Z"


def test_a_stage_does_not_see_the_users_environment(bench, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("DECLARED", "one")
    bench.write("mintage.yaml", PROJECT.replace("seed: 5", "seed: 5\n    env: [DECLARED]"))
    bench.write(
        "total.py",
        TOTAL + "open('work/total.txt', 'w').write(repr((os.environ.get('SECRET_TOKEN'), os.environ['DECLARED'])))\n",
    )
    bench.run()
    assert bench.read("work/total.txt") == "(None, 'one')"
    assert "hunter2" not in json.dumps(read_lock(bench.workspace.root, "total").parts)
    monkeypatch.setenv("DECLARED", "two")
    assert bench.reasons()["total"][0].startswith("env.DECLARED changed")


def test_a_dirty_tree_is_run_from_a_snapshot_and_nothing_moves(bench):
    head = bench.git("rev-parse", "HEAD")
    bench.write("helper.py", "def times(v, f):\n    return v * f + 1\n")
    before = bench.git("status", "--porcelain")
    outcome = bench.run()
    record = Store(bench.workspace.store_dir).get_record(outcome.record)
    assert record.body["dirty"] is True
    assert bench.git("rev-parse", "HEAD") == head
    assert before in bench.git("status", "--porcelain")
    assert "v * f + 1" in bench.git("show", f"{record.body['commit']}:helper.py")


def test_lost_outputs_and_inputs_come_back_from_the_store(bench):
    add_path(bench.workspace, "data/numbers.txt")
    bench.run()
    (bench.workspace.root / "data/numbers.txt").unlink()
    (bench.workspace.root / "work/doubled.txt").unlink()
    bench.write("work/total.txt", "tampered")
    assert bench.run().actions == {"double": "restore", "total": "restore"}
    assert bench.read("data/numbers.txt") == "1\n2\n3\n"
    assert bench.read("work/total.txt") == "12 5"


def test_a_missing_input_says_who_makes_it(bench):
    (bench.workspace.root / "data/numbers.txt").unlink()
    with pytest.raises(FileMissingError) as caught:
        bench.run()
    assert "mintage add data/numbers.txt" in caught.value.hint


def test_an_unknown_target_names_the_stages(bench):
    with pytest.raises(UnknownNameError) as caught:
        bench.run(selection=Selection(targets=("totl",)))
    assert caught.value.expected == "double, total"


def test_a_work_tree_shares_the_cache_and_leaves_the_users_alone(bench):
    bench.run()
    bench.git("add", "-A")
    bench.git("commit", "-qm", "locks")
    head = bench.git("rev-parse", "HEAD")
    with worktree(bench.workspace, revision="HEAD", branch="try") as other:
        (other.root / "params.yaml").write_text("factor: 5\nunrelated: 1\n")
        add = bench.run(workspace=other)
        assert add.actions == {"double": "run", "total": "run"}
        other.git.commit(["params.yaml", "mintage.lock"], "try: five", trailers={"Mintage-Why": "a test"})
        folder = other.root
    assert not folder.exists()
    assert bench.git("rev-parse", "HEAD") == head
    assert bench.git("log", "-1", "--format=%(trailers:key=Mintage-Why,valueonly)", "try") == "a test"
    bench.write("params.yaml", "factor: 5\nunrelated: 1\n")
    assert bench.run().actions == {"double": "restore", "total": "restore"}


def test_added_data_is_versioned_and_kept_out_of_git(bench):
    first = add_path(bench.workspace, "data/numbers.txt")
    assert first.changed and "/data/numbers.txt" in bench.read(".gitignore").splitlines()
    assert not add_path(bench.workspace, "data/numbers.txt").changed
    bench.write("data/numbers.txt", "4\n")
    with StatCache(bench.workspace.cache_database) as cache:
        locks = read_locks(bench.workspace.root)
        assert [s.state for s in data_states(bench.workspace, locks, cache)] == ["modified"]
        with pytest.raises(DataModifiedError):
            checkout_item(
                Store(bench.workspace.store_dir), locks["data/numbers.txt"].outputs[0], bench.workspace.root, cache
            )
        assert checkout_item(
            Store(bench.workspace.store_dir),
            locks["data/numbers.txt"].outputs[0],
            bench.workspace.root,
            cache,
            force=True,
        )
    assert bench.read("data/numbers.txt") == "1\n2\n3\n"


@pytest.mark.parametrize("path", ["../outside.txt", ".mintage/x", "mintage.lock/x.json", "."])
def test_paths_that_cannot_be_data_are_refused(bench, path, monkeypatch):
    from mintage.data.add import project_path

    monkeypatch.chdir(bench.workspace.root)
    with pytest.raises(UsageError):
        project_path(bench.workspace, Path(path))


def test_two_runs_wait_for_each_other_with_a_message(bench):
    with bench.workspace.lock("run"), pytest.raises(LockedError) as caught, bench.workspace.lock("run", wait_s=0.1):
        pass
    assert str(os.getpid()) in caught.value.found


def test_a_killed_run_loses_nothing_and_the_next_one_goes_on(bench):
    bench.write("total.py", "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n")
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from mintage.database.connection import open_database
        from mintage.pipeline.run import run_pipeline
        from mintage.repo.workspace import Workspace
        from mintage.tracking.runs import RunStore
        workspace = Workspace(Path(sys.argv[1]))
        runs = RunStore(open_database(workspace.database), lambda *a: None)
        with workspace.lock("run"):
            run_pipeline(workspace, runs=lambda: runs, clock=lambda: "2026-01-01T00:00:00Z", actor=lambda: "x")
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(bench.workspace.root)])
    deadline = time.monotonic() + 60
    while not any("waiting" in p.read_text() for p in bench.workspace.logs_dir.glob("*/total.log")):
        assert time.monotonic() < deadline and process.poll() is None
    stage = next(
        int(p.parent.name)
        for p in Path("/proc").glob("[0-9]*/cmdline")
        if p.read_bytes().endswith(b"total.py\0") and _parent(int(p.parent.name)) == process.pid
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    while Path(f"/proc/{stage}").exists() and _state(stage) != "Z":
        assert time.monotonic() < deadline
    bench.write("total.py", TOTAL)
    with bench.workspace.lock("run"):
        bench.workspace.clear_scratch()
        assert bench.run().actions == {"double": "keep", "total": "run"}
    assert {row.status for row in bench.runs.list_runs()} == {"interrupted", "finished"}


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])
    except FileNotFoundError:
        return 0
