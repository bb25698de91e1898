"""Experiments through the command: what they run, what they keep, and what they leave alone. Real Git."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from mintage.pipeline.experiment.collection import list_experiments
from mintage.pipeline.experiment.make import make
from mintage.pipeline.recording.protect import is_possible
from mintage.repo.git import Git
from mintage.store.statcache import StatCache
from small_project import wait_until

WITH_OPTIONS = """\
project: p
stages:
  fit: {run: python fit.py, metrics: [top.json], args: {top-k: 1}}
models: {}
"""
LOOKS_AT_ITS_INPUT = """\
project: p
stages:
  look: {run: python look.py, in: [data.csv], metrics: [inode.json], params: [model.depth]}
models: {}
"""


def test_a_grid_is_run_and_head_index_branches_and_files_stay(project):
    before = project.state()
    made = project.run("exp", "run", "-S", "model.depth=2,4", "-S", "model.rate=0.5")
    assert [one["name"] for one in made] == ["depth=2,rate=0.5", "depth=4,rate=0.5"]
    assert [one["metrics"]["auc"] for one in made] == [1.0, 2.0]
    assert project.state() == before
    assert not list((project.root / ".mintage/worktrees").iterdir())
    assert len(project.git("worktree", "list").splitlines()) == 1
    refs = project.git("for-each-ref", "--format=%(refname)", "refs/mintage/exp").splitlines()
    assert refs == [f"refs/mintage/exp/{before[0][:12]}/{one['name']}" for one in made]


def test_the_commit_has_locks_metrics_and_the_parameters_with_their_comments(project):
    (one,) = project.run("exp", "run", "-S", "model.depth=4")
    assert "depth: 4   # of the tree" in project.git("show", f"{one['commit']}:params.yaml")
    assert json.loads(project.git("show", f"{one['commit']}:metrics.json")) == {"auc": 2.0}
    assert '"name": "train"' in project.git("show", f"{one['commit']}:mintage.lock/train.json")
    files = project.git("ls-tree", "-r", "--name-only", one["commit"]).splitlines()
    assert "data.csv" not in files and "model.txt" not in files
    assert project.git("rev-parse", f"{one['commit']}~2") == project.git("rev-parse", "HEAD")


def test_options_that_a_stage_declares_are_values_too(project):
    project.write("mintage.yaml", WITH_OPTIONS)
    project.write("fit.py", "import json, sys\njson.dump({'top': float(sys.argv[2])}, open('top.json', 'w'))\n")
    project.commit("options")
    made = project.run("exp", "run", "-S", "fit.top-k=3,1e2")
    assert [(one["name"], one["metrics"]) for one in made] == [("top-k=3", {"top": 3}), ("top-k=1.0e+2", {"top": 100})]
    assert project.run("exp", "compare", "HEAD", "top-k=3")["params"] == {"fit.top-k": [1, 3]}
    code, said = project.said("exp", "run", "-S", "fit.topk=3")
    assert code == 3 and "fit.top-k" in said


def test_a_dirty_tree_with_new_files_is_run(project):
    project.write("extra.py", "FACTOR = 10\n")
    project.write("train.py", project.read("train.py").replace("depth * rate", "depth * rate * extra.FACTOR"))
    project.write("train.py", "import extra\n" + project.read("train.py"))
    before = project.state()
    (one,) = project.run("exp", "run")
    assert one["name"] == "run" and one["metrics"]["auc"] == 10.0
    assert project.git("show", f"{one['commit']}:extra.py") == "FACTOR = 10"
    assert project.state() == before


def test_the_same_again_is_not_run_and_other_files_get_another_name(project):
    (one,) = project.run("exp", "run", "-S", "model.depth=4")
    assert project.run("exp", "run", "-S", "model.depth=4") == [one]
    project.write("train.py", project.read("train.py") + "# changed\n")
    (two,) = project.run("exp", "run", "-S", "model.depth=4")
    assert (two["name"], two["actions"]["prep"]) == ("depth=4-2", "restore")
    assert [found.experiment.name for found in list_experiments(project.workspace)].count("depth=4") == 1


def test_what_the_user_ran_is_not_run_again(project):
    project.run("run", "--yes")
    project.commit("metrics")
    (one,) = project.run("exp", "run", "-S", "model.depth=4")
    assert one["actions"] == {"prep": "keep", "train": "run"}
    (same,) = project.run("exp", "run", "-S", "model.depth=2")
    assert same["actions"] == {"prep": "keep", "train": "keep"} and same["metrics"]["auc"] == 1.0


@pytest.mark.skipif(not is_possible(), reason="files are linked only where the kernel has Landlock (Linux 5.13)")
def test_all_experiments_read_the_users_own_copy_of_large_data(project):
    data = project.root / "data.csv"
    data.write_text("row\n" * 2_000_000)
    project.write("mintage.yaml", LOOKS_AT_ITS_INPUT)
    project.write("look.py", "import json, os\njson.dump(os.stat('data.csv').st_ino, open('inode.json', 'w'))\n")
    with StatCache(project.workspace.cache_database) as cache:
        # A file that was only just written is read again: within a clock tick it could change unseen.
        wait_until(lambda: cache.file_digest(data) and cache.known_digest(data), "the file to be known")
    before = data.stat()
    made = project.run("exp", "run", "-S", "model.depth=3,4,5")
    assert [one["metrics"] for one in made] == [{"value": before.st_ino}] * 3
    assert data.stat().st_ctime_ns == before.st_ctime_ns, "its digest would have to be found anew"


def test_a_folder_of_data_that_is_in_git_in_part_is_read_whole(project):
    (project.root / "rows").mkdir()
    project.write("rows/known.csv", "1\n")
    project.write("rows/own.bin", "2\n")
    project.write(".gitignore", project.read(".gitignore") + "*.bin\n")
    project.write("mintage.yaml", LOOKS_AT_ITS_INPUT.replace("data.csv", "rows").replace("inode", "count"))
    project.write("look.py", "import json, os\njson.dump(len(os.listdir('rows')), open('count.json', 'w'))\n")
    made = project.run("exp", "run", "-S", "model.depth=3,4")
    assert [one["metrics"] for one in made] == [{"value": 2}] * 2


def test_one_that_fails_does_not_stop_the_others(project):
    made = project.run("exp", "run", "-S", "model.depth=13,4", expect=6)
    assert [one["state"] for one in made] == ["failed", "done"]
    assert "pipeline.stage-failed" in made[0]["error"]
    code, said = project.said("exp", "run", "-S", "model.depth=13")
    assert code == 6 and "unlucky" in said and "1 experiment failed" in said


def test_several_run_at_once_in_work_trees_of_their_own(project):
    done = subprocess.run(
        project.process("exp", "run", "-S", "model.depth=2,3,4,13", "-j", "2", "--json"),
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    found = {one["name"]: one["state"] for one in json.loads(done.stdout)}
    assert found == {"depth=2": "done", "depth=3": "done", "depth=4": "done", "depth=13": "failed"}
    states = [row["status"] for row in project.run("log")["runs"]]
    assert sorted(states) == ["failed", "finished", "finished", "finished"]
    project.run("audit", "verify")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_sweep_goes_on(project, jobs):
    project.write("train.py", project.read("train.py").replace("unlucky", "x"))
    wait = "import os, time\nif depth == 5 and os.path.exists(%r):\n    open(%r, 'w').close()\n    time.sleep(60)\n"
    flag, reached = project.root.parent / "flag", project.root.parent / "reached"
    flag.touch()
    text = project.read("train.py").replace("for step", wait % (str(flag), str(reached)) + "for step", 1)
    project.write("train.py", text)
    with subprocess.Popen(
        project.process("exp", "run", "-S", "model.depth=4,5,6", "-j", jobs),
        cwd=project.root,
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        wait_until(lambda: reached.exists() or process.poll() is not None, "the second experiment to begin")
        process.send_signal(signal.SIGKILL)  # nobody tells its workers; they end all the same
        process.communicate()
    flag.unlink()
    states = {one["name"]: one["state"] for one in project.run("exp", "list")}
    assert states["depth=5"] == "planned"
    left = sorted(name for name, state in states.items() if state == "planned")
    went_on = project.run("exp", "run", "--continue")
    assert [(one["name"], one["state"]) for one in went_on] == [(name, "done") for name in left]
    assert project.run("exp", "run", "--continue") == []
    assert len(project.git("worktree", "list").splitlines()) == 1


def test_a_killed_sweep_does_not_break_the_next_one_in_its_work_tree(project):
    left = project.root / ".mintage/worktrees/experiments-0"
    left.mkdir(parents=True)
    (left / "half-written").touch()
    (one,) = project.run("exp", "run", "-S", "model.depth=4")
    assert one["state"] == "done" and not left.exists()


def test_many_are_made_and_listed_by_a_fixed_number_of_git_processes(project, monkeypatch):
    calls = []
    called = Git._call
    monkeypatch.setattr(Git, "_call", lambda self, args, **more: calls.append(args) or called(self, args, **more))
    make(project.workspace, [{"model.depth": "1"}])
    first, calls[:] = len(calls), []
    make(project.workspace, [{"model.depth": str(number)} for number in range(2, 40)])
    assert len(calls) == first
    calls.clear()
    assert len(list_experiments(project.workspace)) == 39 and len(calls) == 1


def test_random_search_is_the_same_for_the_same_seed(project):
    words = ("exp", "run", "-S", "model.depth=2..9", "-S", "model.rate=0.001..1:log", "--random", "2", "--seed", "3")
    made = project.run(*words)
    assert len({one["name"] for one in made}) == 2
    assert all(2 <= float(one["set"]["model.depth"]) <= 9 for one in made)
    assert project.run(*words) == made


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-S", "model.dept=1"), 3, "there is no parameter 'model.dept'"),
        (("-S", "model.depth=1..4"), 2, "range without a step"),
        (("-S", "model.depth"), 2, "not a setting"),
        (("-S", "model.depth=1", "-S", "model.depth=2"), 2, "set twice"),
        (("--random", "3"), 2, "nothing to draw from"),
        (("--optuna", "3", "-S", "model.depth=1..4"), 2, "--minimize METRIC"),
        (("--name", "../x"), 2, "not the name of an experiment"),
        (("nothing",), 3, "there is no stage 'nothing'"),
        (("--continue", "-S", "model.depth=1"), 2, "takes nothing else"),
    ],
)
def test_wrong_words_make_no_experiment(project, words, code, said):
    found, text = project.said("exp", "run", *words)
    assert (found, said in text) == (code, True), text
    assert list_experiments(project.workspace) == []


def test_files_of_passwords_and_huge_ones_are_not_committed(project):
    project.write(".env", "TOKEN=x\n")
    code, said = project.said("exp", "run")
    assert code == 1 and ".env looks like a file of passwords" in said
    (project.root / ".env").unlink()
    with (project.root / "huge.bin").open("wb") as stream:
        stream.truncate(60_000_000)
    code, said = project.said("exp", "run")
    assert code == 1 and "mintage add huge.bin" in said
    assert list_experiments(project.workspace) == []


def test_a_project_never_recorded_is_sent_to_run_first(project):
    project.write("mintage.yaml", "project: p\nstages:\n  train: {run: python train.py}\n")
    code, said = project.said("exp", "run")
    assert code == 1 and "`mintage run` once" in said


def test_optuna_is_asked_and_told_and_goes_on_where_it_stopped(project):
    pytest.importorskip("optuna", reason="pip install 'mintage[optuna]'")
    words = ("exp", "run", "-S", "model.depth=2..9", "-S", "model.rate=0.5,1.0", "--optuna", "3", "--maximize", "auc")
    made = project.run(*words)
    assert {one["state"] for one in made} == {"done"} and len(made) >= 2
    assert project.run(*words) == made
    code, said = project.said(*words[:-1], "acu")
    assert code == 3 and "no experiment measured 'acu'" in said and "auc" in said


def test_without_optuna_the_extra_is_named(project, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    code, said = project.said("exp", "run", "-S", "model.depth=2..9", "--optuna", "2", "--minimize", "loss")
    assert code == 5 and "mintage[optuna]" in said
