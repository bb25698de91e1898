"""What is done with experiments: list, compare, draw, promote, share, delete."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from experiment_project import ExperimentProject

from mintage.pipeline.experiment.collection import list_experiments
from mintage.pipeline.experiment.experiment import PREFIX, Experiment, message_of
from mintage.pipeline.experiment.make import make
from mintage.repo.refs import NewCommit, write_commits


def test_list_shows_values_and_metrics_and_sorts(swept):
    code, said = swept.said("exp", "list", "--sort", "auc")
    lines = said.splitlines()
    assert code == 0 and lines[0].split() == ["name", "state", "age", "model.depth", "auc", "loss"]
    assert [line.split()[0] for line in lines[1:]] == ["depth=6", "depth=4"]
    assert swept.run("exp", "list", "--sort", "auc", "--reverse")[0]["name"] == "depth=4"
    assert "There are more" in swept.said("exp", "list", "-n", "1")[1]
    code, said = swept.said("exp", "list", "--sort", "acu")
    assert code == 3 and "auc" in said


def test_an_empty_list_says_how_to_begin(project):
    code, said = project.said("exp", "list")
    assert code == 0 and "mintage exp run -S" in said


def test_compare_tells_parameters_metrics_and_that_nothing_else_differs(swept):
    found = swept.run("exp", "compare", "depth=4", "depth=6")
    assert found["params"] == {"model.depth": [4, 6]}
    assert found["metrics"]["auc"] == [2.0, 3.0]
    assert found["others"] == {"depth=6": []}
    assert "the same code, data and environment" in swept.said("exp", "compare", "depth=4", "depth=6")[1]


def test_compare_tells_code_and_data_that_differ_also_from_a_revision(swept):
    swept.write("prep.py", swept.read("prep.py") + "# changed\n")
    swept.write("data.csv", "other\n")
    swept.run("exp", "run", "-S", "model.depth=8")
    found = swept.run("exp", "compare", "HEAD", "depth=8")
    assert found["metrics"]["auc"] == [1.0, 4.0]
    lines = found["others"]["depth=8"]
    assert any(line.startswith("prep: code prep.py changed") for line in lines)
    assert any(line.startswith("prep: inputs data.csv changed") for line in lines)
    assert not any("rows.txt" in line for line in lines), "what another stage makes follows from that"


def test_compare_of_an_unknown_name_knows_the_near_one(swept):
    code, said = swept.said("exp", "compare", "depth=4", "depth=66")
    assert code == 3 and "depth=6" in said


def test_the_page_has_pictures_and_nothing_that_runs(swept, tmp_path):
    pytest.importorskip("vl_convert", reason="pip install 'mintage[report]'")
    page = tmp_path / "page.html"
    code, _ = swept.said("exp", "compare", "--html", str(page))
    text = page.read_text()
    assert code == 0 and text.count("<svg viewBox") >= 4, "parallel coordinates and learning curves, wide and narrow"
    assert "loss by step" in text and "model.depth: 4 to 6" in text and "<script" not in text


def test_promote_makes_a_plain_commit_and_brings_files_and_outputs(swept):
    before = swept.git("rev-parse", "HEAD")
    done = swept.run("exp", "promote", "depth=6")
    assert swept.git("rev-parse", "HEAD~1") == before and swept.git("rev-parse", "HEAD") == done["commit"]
    assert "depth: 6" in swept.read("params.yaml") and swept.read("model.txt") == "6 0.5"
    assert swept.git("status", "--porcelain") == ""
    assert swept.git("log", "-1", "--format=%an %s") == "Tess exp: depth=6"
    assert set(swept.run("run")["actions"].values()) == {"keep"}


def test_what_was_promoted_keeps_the_commit_that_was_run(swept):
    swept.run("exp", "promote", "depth=6")
    swept.run("exp", "gc", "depth=6", "depth=4")
    swept.git("gc", "-q", "--prune=now")
    run = swept.run("log")["runs"][0]
    assert swept.git("cat-file", "-t", run["commit_id"]) == "commit"


def test_promote_goes_over_the_changes_that_it_was_made_with(swept):
    swept.write("new.py", "x = 1\n")
    swept.write("train.py", swept.read("train.py") + "# mine\n")
    swept.run("exp", "run", "-S", "model.depth=8")
    swept.run("exp", "promote", "depth=8")
    assert swept.git("status", "--porcelain") == ""
    assert swept.git("show", "HEAD:new.py") == "x = 1" and "depth: 8" in swept.read("params.yaml")


def test_promote_refuses_other_changes_and_leaves_them(swept):
    swept.write("train.py", swept.read("train.py") + "# mine\n")
    before = swept.state()
    code, said = swept.said("exp", "promote", "depth=6")
    assert code == 1 and "train.py" in said
    assert swept.state() == before and "# mine" in swept.read("train.py")


def test_promote_that_does_not_fit_changes_nothing(swept):
    swept.write("params.yaml", swept.read("params.yaml").replace("depth: 2", "depth: 99"))
    swept.commit("another depth")
    before = swept.state()
    code, said = swept.said("exp", "promote", "depth=6")
    assert code == 1 and "run the experiment again from here" in said
    assert swept.state()[:3] == before[:3] and swept.git("status", "--porcelain") == ""


def test_promote_waits_for_a_merge_that_is_under_way(swept):
    (swept.root / ".git" / "MERGE_HEAD").write_text(swept.git("rev-parse", "HEAD") + "\n")
    code, said = swept.said("exp", "promote", "depth=6")
    assert code == 1 and "MERGE_HEAD" in said
    assert (swept.root / ".git" / "MERGE_HEAD").exists()


def test_promote_on_later_commits_keeps_these(swept):
    swept.write("README", "text\n")
    swept.commit("a readme")
    swept.run("exp", "promote", "depth=6")
    assert swept.git("log", "-2", "--format=%s").splitlines() == ["exp: depth=6", "a readme"]
    assert (swept.root / "README").is_file()


@pytest.mark.parametrize("state", ["planned", "failed"])
def test_only_what_is_done_is_promoted(swept, state):
    if state == "planned":
        make(swept.workspace, [{"model.depth": "13"}])
    else:
        swept.run("exp", "run", "-S", "model.depth=13", expect=6)
    code, said = swept.said("exp", "promote", "depth=13")
    assert code == 1 and state in said


def test_push_and_pull_bring_commits_and_data_to_a_clone(swept, tmp_path, capsys):
    bare, second = tmp_path / "bare", tmp_path / "second"
    swept.write("mintage.yaml", swept.read("mintage.yaml") + f"remote: {tmp_path / 'remote'}\n")
    swept.commit("a remote")
    swept.git("init", "-q", "--bare", str(bare))
    swept.git("remote", "add", "origin", str(bare))
    swept.git("push", "-q", "origin", "main")
    swept.git("--git-dir", str(bare), "symbolic-ref", "HEAD", "refs/heads/main")
    swept.run("exp", "run", "-S", "model.depth=8")
    pushed = swept.run("exp", "push", "depth=8")
    assert pushed["experiments"] == ["depth=8"] and pushed["data"]["copied"] > 5
    assert swept.run("exp", "push", "depth=8")["data"]["copied"] == 0
    assert "exp" not in swept.git("ls-remote", "--heads", "origin")
    swept.git("clone", "-q", str(bare), str(second))
    clone = ExperimentProject(second, capsys)
    clone.git("config", "user.email", "uma@example.org")
    clone.git("config", "user.name", "Uma")
    assert clone.run("exp", "list") == []
    pulled = clone.run("exp", "pull")
    assert pulled["experiments"] == ["depth=8"] and pulled["data"]["copied"] == pushed["data"]["copied"]
    assert clone.run("exp", "list")[0]["metrics"]["auc"] == 4.0
    shutil.copy(swept.root / "data.csv", clone.root / "data.csv")
    clone.run("exp", "promote", "depth=8")
    assert (clone.root / "model.txt").read_text() == "8 0.5"
    code, said = clone.said("exp", "pull", "depth=9")
    assert code == 3 and "no experiment 'depth=9'" in said


def test_without_a_remote_for_data_push_says_that_only_commits_went(swept, tmp_path):
    bare = tmp_path / "bare"
    swept.git("init", "-q", "--bare", str(bare))
    code, said = swept.said("exp", "push", "--to", str(bare))
    assert code == 0 and "pushed 2 experiments" in said and "no `remote:`" in said
    assert len(swept.git("ls-remote", str(bare), "refs/mintage/exp/*").splitlines()) == 2


def test_what_somebody_else_wrote_does_not_steer_the_terminal(swept):
    (one,) = swept.run("exp", "list", "depth=4")
    evil = msgspec.convert({key: one[key] for key in ("state", "base", "start")} | {"name": "\x1b[2J"}, Experiment)
    evil = msgspec.structs.replace(evil, set={"a\x1b[31m": "b\x07"})
    tree = swept.git("rev-parse", f"{one['commit']}^{{tree}}")
    commit = NewCommit(ref=f"{PREFIX}abc/evil", message=message_of(evil), parent=one["commit"], tree=tree)
    write_commits(swept.workspace.git, [commit])
    said = swept.said("exp", "list")[1]
    assert "evil" in said and "\x1b" not in said and "\x07" not in said


def test_a_commit_of_another_kind_among_them_is_named(swept):
    swept.git("update-ref", f"{PREFIX}abc/other", "HEAD")
    code, said = swept.said("exp", "list")
    assert code == 3 and "refs/mintage/exp/abc/other" in said


def test_gc_deletes_what_is_old_and_says_before_what_would_go(swept):
    make(swept.workspace, [{"model.depth": "9"}], now_s=1_700_000_000)
    assert swept.run("exp", "gc", "--keep", "30d", "--dry")["would"] == ["depth=9"]
    assert len(list_experiments(swept.workspace)) == 3
    assert swept.run("exp", "gc", "--keep", "30d")["deleted"] == ["depth=9"]
    assert [found.experiment.name for found in list_experiments(swept.workspace)] != []
    code, said = swept.said("exp", "gc")
    assert code == 2 and "--keep 30d" in said
    assert swept.said("exp", "gc", "--keep", "soon")[0] == 2


def test_experiments_of_a_project_in_a_sub_folder_are_its_own(tmp_path, capsys):
    from experiment_project import make_project

    project = make_project(tmp_path / "inner", capsys)
    shutil.rmtree(project.root / ".git")
    outer = tmp_path / "outer"
    (outer / "deep").mkdir(parents=True)
    shutil.move(project.root, outer / "deep" / "own")
    top = ExperimentProject(outer, capsys)
    for words in (
        ("init", "-q", "-b", "main"),
        ("config", "user.email", "t@example.org"),
        ("config", "user.name", "T"),
    ):
        top.git(*words)
    top.commit("all")
    inner = ExperimentProject(outer / "deep" / "own", capsys)
    inner.write("new.py", "x = 1\n")
    (one,) = inner.run("exp", "run", "-S", "model.depth=4")
    assert one["metrics"]["auc"] == 2.0
    files = top.git("ls-tree", "-r", "--name-only", one["commit"]).splitlines()
    assert "deep/own/mintage.lock/train.json" in files and "deep/own/new.py" in files
    assert not [path for path in files if not path.startswith("deep/own/")]
    found = inner.run("exp", "compare", "HEAD", "depth=4")
    assert found["params"] == {"model.depth": [2, 4]}
    Path(inner.root / "new.py").unlink()
    inner.run("exp", "promote", "depth=4")
    assert top.git("status", "--porcelain") == ""
