"""``mintage init`` in folders as people have them, and what follows without a line written or a file committed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from small_project import MINTAGE, PATIENCE_S, SmallProject

TRAIN = """\
import json
rows = [line.split(",") for line in open("data.csv").read().split()][1:]
open("model.bin", "w").write(f"a model of {len(rows)} rows")
json.dump({"rows": len(rows), "share": 0.5}, open("metrics.json", "w"))
"""
FIT = "model.fit(rows)\njoblib.dump(model, 'm.joblib')\n"


@pytest.fixture
def bare(tmp_path: Path) -> SmallProject:
    """A folder with one script and one table, and no repository."""
    made = SmallProject(tmp_path / "my churn", tmp_path / "home")
    made.home.mkdir()
    made.write("train.py", TRAIN)
    made.write("data.csv", "a,b\n1,2\n3,4\n")
    return made


def talk(project: SmallProject, *words: str, answers: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, type ``answers``, and return its exit code and all that was shown."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*MINTAGE, *words], cwd=project.root, env=project.environment, stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    os.write(leader, answers.encode())
    shown = b""
    while select.select([leader], [], [], PATIENCE_S)[0]:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return process.wait(PATIENCE_S), shown.decode().replace("\r\n", "\n")


def test_a_bare_folder_becomes_a_project_that_runs_without_a_commit(bare):
    answer = bare.run("init")
    project = yaml.safe_load(bare.read("mintage.yaml"))
    assert project["stages"] == {"train": {"run": "python train.py"}} and project["project"] == "my-churn"
    assert str(bare.home) not in bare.read("mintage.yaml")
    assert "+    run: python train.py" in answer.out and "+/data.csv" in answer.out
    assert "BEGIN PUBLIC KEY" not in answer.out and "trust.yaml names two new keys" in answer.err
    assert "git add .gitignore mintage.yaml trust.yaml && git commit" in answer.err
    assert bare.git("branch", "--show-current") == "main"
    bare.run("run")
    assert bare.run("run").out == "up to date: 1 stage\n"
    assert yaml.safe_load(bare.read("mintage.yaml"))["stages"]["train"]["in"] == ["data.csv"]
    assert "data.csv" not in bare.git("status", "--porcelain", "--untracked-files=all")
    done = subprocess.run(["git", "log"], cwd=bare.root, env=bare.environment, capture_output=True, check=False)
    assert done.returncode != 0  # no commit, and none was needed


def test_yes_commits_what_was_written_and_nothing_else(bare):
    committed = bare.run("init", "--yes", "--json").json["commit"]
    assert committed == bare.git("rev-parse", "HEAD")
    assert set(bare.git("show", "--name-only", "--format=", "HEAD").split()) == {
        ".gitignore",
        "mintage.yaml",
        "trust.yaml",
    }
    assert bare.git("status", "--porcelain") == "?? train.py"
    answer = bare.run("run", "--yes")
    assert "Committed" in answer.err
    assert set(bare.git("show", "--name-only", "--format=", "HEAD").split()) == {
        ".gitignore",
        "mintage.lock/train.json",
        "mintage.yaml",
    }
    assert "data.csv" not in bare.git("log", "--all", "--name-only", "--format=")
    assert bare.git("status", "--porcelain").splitlines() == ["?? metrics.json", "?? train.py"]


def test_on_a_terminal_it_asks_and_a_no_commits_nothing(bare):
    code, shown = talk(bare, "init", answers="n\n")
    assert code == 0 and "Commit .gitignore, mintage.yaml, trust.yaml? [Y/n]" in shown
    assert "nothing need be to go on" in shown
    code, shown = talk(bare, "run", answers="\n")
    assert code == 0 and "[Y/n]" in shown
    assert bare.git("log", "--format=%s") == "Run train"


def test_only_locks_are_no_reason_to_ask(bare):
    bare.run("init", "--yes")
    bare.run("run", "--yes")
    bare.replace("train.py", "0.5", "0.6")
    code, shown = talk(bare, "run", answers="")
    assert code == 0 and "[Y/n]" not in shown and "git add mintage.lock && git commit" in shown


def test_changes_of_the_users_own_are_left_to_them(bare):
    bare.git("init", "-q")
    bare.write(".gitignore", "*.pyc\n")
    bare.git("add", ".gitignore", "train.py")
    bare.git("commit", "-qm", "mine")
    bare.write(".gitignore", "*.pyc\n*.log\n")
    bare.write("train.py", TRAIN + "# under way\n")
    bare.write("other.txt", "staged\n")
    bare.git("add", "other.txt")
    answer = bare.run("init", "--yes")
    assert ".gitignore: has changes of yours too" in answer.err
    assert "*.log" in bare.read(".gitignore")
    assert bare.git("show", "--name-only", "--format=", "HEAD").split() == ["mintage.yaml", "trust.yaml"]
    bare.run("run")
    assert "M train.py" in bare.git("status", "--porcelain") and "A  other.txt" in bare.git("status", "--porcelain")


def test_a_table_that_git_holds_already_stays_there(bare):
    bare.git("init", "-q")
    bare.commit("with its data")
    answer = bare.run("init")
    assert "Git holds data.csv" in answer.out and not (bare.root / ".gitignore").exists()


def test_secrets_and_environments_are_kept_out_of_git(bare):
    bare.write(".env", "KEY=1\n")
    bare.write("venv/pyvenv.cfg", "home = /nowhere\n")
    answer = bare.run("init")
    assert bare.read(".gitignore").splitlines() == ["/venv/", "/data.csv", "/.env"]
    assert "by their names secrets: .env" in answer.out


def test_a_folder_of_a_repository_shares_it_unless_it_is_ignored_there(bare, tmp_path):
    outer = SmallProject(tmp_path / "outer", bare.home)
    outer.write(".gitignore", "/scratch/\n")
    outer.git("init", "-q")
    for name, own in (("project", False), ("scratch", True)):
        shutil.copytree(bare.root, outer.root / name)
        inner = SmallProject(outer.root / name, bare.home)
        answer = inner.run("init", "--yes")
        assert (inner.root / ".git").exists() == own
        assert ("whose history it shares" in answer.out) == (not own)
        inner.run("run", "--yes")
        assert inner.run("run").out == "up to date: 1 stage\n"
    assert "project/mintage.yaml" in outer.git("ls-files")


def test_without_the_program_git_it_says_so_and_writes_nothing(bare, tmp_path):
    answer = bare.run("init", PATH=str(tmp_path / "no programs"), expect=5)
    assert "error[git.missing]" in answer.err and "install Git" in answer.err
    assert not (bare.root / "mintage.yaml").exists()


def test_without_a_name_for_commits_it_says_what_git_needs(bare):
    nameless = {name: None for name in bare.environment if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))}
    answer = bare.run("init", "--yes", **nameless)
    assert "git config user.name" in answer.err and "git add" in answer.err


def test_a_tie_is_asked_about_refused_or_settled_by_yes(bare):
    for name in ("train_a.py", "train_b.py"):
        bare.write(name, FIT)
    (bare.root / "train.py").unlink()
    answer = bare.run("init", expect=3)
    assert "error[project.script-undecided]" in answer.err and "mintage init train_a.py" in answer.err
    assert {path.name for path in bare.root.iterdir()} == {"train_a.py", "train_b.py", "data.csv"}
    code, shown = talk(bare, "init", answers="2\nn\n")
    assert code == 0 and "Several scripts fit a model" in shown
    assert list(yaml.safe_load(bare.read("mintage.yaml"))["stages"]) == ["train_b"]
    (bare.root / "mintage.yaml").unlink()
    answer = bare.run("init", "--yes")
    assert "TAKEN AS THE LIKELIEST: train_a.py. Also possible: train_b.py" in answer.out
    (bare.root / "mintage.yaml").unlink()
    bare.write("train_b.py", FIT.replace("m.joblib", "other.joblib"))
    talk(bare, "init", answers="3\nn\n")
    assert list(yaml.safe_load(bare.read("mintage.yaml"))["stages"]) == ["train_a", "train_b"]


def test_scripts_that_write_one_file_are_refused_together_before_anything_is_written(bare):
    for name in ("train_a.py", "train_b.py"):
        bare.write(name, FIT)
    (bare.root / "train.py").unlink()
    code, shown = talk(bare, "init", answers="3\n")
    assert code == 3 and "train_a.py and train_b.py both write m.joblib" in shown, shown
    answer = bare.run("init", "train_b.py", "train_a.py", expect=3)
    assert "train_b.py and train_a.py both write m.joblib" in answer.err and "mintage init train_b.py" in answer.err
    assert {path.name for path in bare.root.iterdir()} - {".git"} == {"train_a.py", "train_b.py", "data.csv"}
    bare.write("sub/train_a.py", FIT)
    bare.write("sub/data.csv", "a\n1\n")
    bare.write("train_b.py", FIT.replace("m.joblib", "other.joblib"))
    bare.run("init", "train_b.py", "train_a.py")


def test_the_likelier_of_two_is_taken_and_said_where_nobody_can_be_asked(bare):
    bare.write("train.py", FIT)
    bare.write("experiments/new_idea.py", FIT)
    answer = bare.run("init")
    assert "TAKEN AS THE LIKELIEST: train.py. Also possible: experiments/new_idea.py" in answer.out


def test_scripts_can_be_named(bare):
    bare.write("b.ipynb", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    bare.run("init", "train.py", "./b.ipynb", "--name", "mine")
    project = yaml.safe_load(bare.read("mintage.yaml"))
    assert project["project"] == "mine"
    assert project["stages"] == {"train": {"run": "python train.py"}, "b": {"run": "b.ipynb"}}


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("gone.py", 3, "there is no gone.py here"), ("data.csv", 2, "not a script"), ("../x.py", 2, "not a script")],
)
def test_a_name_that_is_no_script_of_the_folder_is_refused_before_anything_is_written(bare, name, code, said):
    assert said in bare.run("init", name, expect=code).err
    assert not (bare.root / "mintage.yaml").exists() and not (bare.root / ".git").exists()


def test_a_script_that_is_not_python_is_refused(bare):
    bare.write("bad.py", "def (\n")
    assert "bad.py cannot be read" in bare.run("init", "bad.py", expect=3).err


def test_again_in_a_project_it_changes_nothing_and_says_what_is_there(bare):
    bare.run("init", "--yes")
    before = bare.read("mintage.yaml")
    answer = bare.run("init")
    assert "as it was" in answer.out and "stages: train" in answer.out
    assert bare.read("mintage.yaml") == before and bare.git("status", "--porcelain") == "?? train.py"
    assert "mintage.yaml is there already" in bare.run("init", "train.py", expect=3).err


def test_a_folder_without_scripts_gets_a_project_to_fill(tmp_path):
    made = SmallProject(tmp_path / "empty", tmp_path)
    made.root.mkdir()
    assert "No script was found" in made.run("init").out
    assert "# stages:" in made.read("mintage.yaml")
    assert made.run("run").out == "up to date: 0 stages\n"


def test_a_project_of_dvc_is_pointed_to_its_import(bare):
    bare.write("dvc.yaml", "stages: {}\n")
    assert "mintage import dvc" in bare.run("init").out
    assert "stages" not in yaml.safe_load(bare.read("mintage.yaml"))


def test_the_environment_of_the_folder_is_used_and_what_it_lacks_is_said(bare):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare.root / ".venv")], check=True)
    bare.write("train.py", "import no_such_module\n" + TRAIN)
    bare.write("requirements.txt", "no-such-module\n")
    answer = bare.run("init", "train.py")
    assert yaml.safe_load(bare.read("mintage.yaml"))["python"] == ".venv/bin/python"
    assert "note: the scripts import what it lacks: no_such_module" in answer.out
    assert "requirements.txt says what to install" in answer.out
    bare.write("train.py", TRAIN)
    bare.run("run")
    assert bare.run("run").out == "up to date: 1 stage\n"


def test_a_lock_of_the_folder_is_said_to_be_what_stages_can_be_built_from(bare):
    bare.write("uv.lock", "version = 1\n")
    answer = bare.run("init", "train.py")
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f'hint: `python: {{lock: uv.lock, version: "{minor}"}}` in mintage.yaml' in answer.out
    assert "python" not in yaml.safe_load(bare.read("mintage.yaml"))


def test_a_link_to_an_environment_elsewhere_is_the_environment_of_the_folder(bare):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare.root.parent / "elsewhere")], check=True)
    (bare.root / ".venv").symlink_to(bare.root.parent / "elsewhere")
    bare.run("init", "train.py", "--yes")
    assert yaml.safe_load(bare.read("mintage.yaml"))["python"] == ".venv/bin/python"
    assert "/.venv" in bare.read(".gitignore").splitlines()
    assert ".venv" not in bare.git("status", "--porcelain", "--untracked-files=all")
    bare.run("run")
    assert bare.run("run").out == "up to date: 1 stage\n"


@pytest.mark.slow
def test_certify_takes_the_only_model_and_else_names_them(bare):
    bare.run("init")
    assert "the project has no model yet" in bare.run("certify", expect=3).err
    bare.run("run")
    bare.write(
        "mintage.yaml", bare.read("mintage.yaml") + "models:\n  a: {from: model.bin}\n  b: {from: metrics.json}\n"
    )
    answer = bare.run("certify", expect=3)
    assert "which model is meant?" in answer.err and "a, b" in answer.err


def test_a_home_folder_is_no_project_unless_it_is_a_repository(bare):
    answer = bare.run("init", HOME=str(bare.root), expect=2)
    assert "this is the home folder" in answer.err and not (bare.root / ".git").exists()
    bare.git("init", "-q")
    bare.run("init", HOME=str(bare.root))


def test_a_project_in_a_project_is_said(bare):
    bare.run("init", "--yes")
    inner = SmallProject(bare.root / "inner", bare.home)
    inner.write("train.py", TRAIN)
    assert f"note: {bare.root} is a project too" in inner.run("init").out


def test_a_package_below_src_runs_as_found(bare):
    (bare.root / "train.py").unlink()
    bare.write("src/churn/__init__.py", "")
    bare.write("src/churn/rows.py", "def rows():\n    return open('data.csv').read().split()\n")
    text = "from churn.rows import rows\nclass Model:\n    def fit(self, x):\n        self.n = len(x)\n"
    text += "        return self\n"
    text += "\nif __name__ == '__main__':\n    open('model.bin', 'w').write(str(Model().fit(rows()).n))\n"
    bare.write("src/churn/train.py", text)
    bare.run("init", "--yes")
    bare.run("run", "--yes")
    stage = yaml.safe_load(bare.read("mintage.yaml"))["stages"]["train"]
    assert (stage["in"], stage["out"]) == (["data.csv"], ["model.bin"])
    assert bare.run("run").out == "up to date: 1 stage\n"


def test_a_crowd_of_pictures_is_one_line_of_gitignore(bare):
    for number in range(60):
        bare.write(f"images/{number}.png", "x")
    bare.run("init")
    assert bare.read(".gitignore").splitlines() == ["/data.csv", "/images/"]


def test_a_script_that_is_meant_to_run_in_its_folder_does(bare):
    (bare.root / "train.py").unlink()
    bare.write("ml/train.py", TRAIN.replace("data.csv", "../data.csv").replace("model.bin", "../model.bin"))
    bare.run("init")
    bare.run("run")
    stage = yaml.safe_load(bare.read("mintage.yaml"))["stages"]["train"]
    assert (stage["in"], "model.bin" in stage["out"]) == (["data.csv"], True)
    assert bare.run("run").out == "up to date: 1 stage\n"
    bare.replace("ml/train.py", "0.5", "0.7")
    assert bare.run("run", "--json").json["actions"] == {"train": "run"}


def test_a_clone_without_the_data_is_told_to_pull_and_then_runs_nothing(bare, tmp_path):
    bare.run("init", "--yes")
    bare.run("run", "--yes")
    bare.git("add", "train.py", "metrics.json")
    bare.git("commit", "-qm", "the script")
    second = SmallProject(tmp_path / "clone", bare.home)
    bare.git("clone", "-q", f"file://{bare.root}", str(second.root))
    assert "`mintage pull`" in second.run("run", expect=3).err
    assert "push first" in second.run("pull", expect=3).err
    bare.run("push")
    assert "placed data.csv" in second.run("pull").out
    assert second.run("run").out == "up to date: 1 stage\n"
