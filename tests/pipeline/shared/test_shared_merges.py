"""Two branches that ran: different stages merge in Git; the same stage is a conflict whose message says what to do."""

from __future__ import annotations

import subprocess

import pytest
from team import Team

from small_project import SmallProject

MORE = "  other: {run: python other.py, in: [data.csv], out: [other.csv]}\n"


def branch(project: SmallProject, name: str) -> None:
    project.git("checkout", "-q", "-b", name, "main")


def merge(project: SmallProject, name: str) -> bool:
    done = subprocess.run(
        ["git", "merge", "-q", "--no-edit", name],
        cwd=project.root,
        env=project.environment,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def test_branches_that_ran_different_stages_merge_and_status_is_right(team: Team) -> None:
    ana = team.ana
    ana.write("mintage.yaml", ana.read("mintage.yaml") + MORE)
    ana.write("other.py", 'open("other.csv", "w").write("1")\n')
    ana.run("run")
    ana.commit("a third stage")
    branch(ana, "deeper")
    ana.replace("params.yaml", "3", "4")
    assert ana.run("run", "--json").json["actions"] == {"clean": "keep", "fit": "run", "other": "keep"}
    ana.commit("deeper")
    branch(ana, "other")
    ana.write("other.py", 'open("other.csv", "w").write("2")\n')
    assert ana.run("run", "--json").json["actions"] == {"clean": "keep", "fit": "restore", "other": "run"}
    ana.commit("another other")
    assert merge(ana, "deeper")
    assert ana.run("status", "--json").json["stages"] == {
        "clean": [],
        "fit": ["its outputs are missing or changed"],
        "other": [],
    }, "the work tree still has this branch's model: Git carries locks, not outputs"
    assert ana.run("run", "--json").json["actions"] == {"clean": "keep", "fit": "restore", "other": "keep"}
    assert ana.read("model/shape.txt") == "4" and ana.read("other.csv") == "2"
    assert ana.git("status", "--porcelain") == "", "nothing ran, so no lock changed"


@pytest.mark.slow
def test_a_merge_that_needs_both_sides_of_one_chain_is_seen_by_status(team: Team) -> None:
    """No conflict in Git, and yet a result that nobody has: one side changed the data of the other's stage."""
    ana = team.ana
    branch(ana, "deeper")
    ana.replace("params.yaml", "3", "4")
    ana.run("run")
    ana.commit("deeper")
    branch(ana, "rows")
    ana.write("clean.py", 'open("clean.csv", "w").write(open("data.csv").read().lower())\n')
    ana.run("run", "clean")
    ana.commit("other rows")
    assert merge(ana, "deeper")
    (reason,) = ana.run("status", "--json").json["stages"]["fit"]
    assert reason.startswith("inputs clean.csv changed: ")
    assert ana.run("run", "--json").json["actions"] == {"clean": "keep", "fit": "run"}


def test_one_stage_that_both_ran_is_a_conflict_with_the_way_out(team: Team) -> None:
    ana = team.ana
    for name, depth in (("deeper", "4"), ("shallow", "2")):
        branch(ana, name)
        ana.replace("params.yaml", "3", depth)
        ana.run("run")
        ana.commit(name)
    assert not merge(ana, "deeper")
    ana.write("params.yaml", "depth: 4\n")
    answer = ana.run("status", expect=3)
    assert "the lock of fit has the marks of a merge: both sides ran it" in answer.err
    assert "git checkout --theirs mintage.lock/fit.json" in answer.err and "mintage run" in answer.err
    ana.git("checkout", "--theirs", "mintage.lock/fit.json")
    assert ana.run("run", "--json").json["actions"] == {"clean": "keep", "fit": "restore"}
    assert ana.read("model/shape.txt") == "4"
    ana.commit("merged")
    assert ana.run("status", "--exit-code").code == 0


@pytest.mark.slow
def test_two_branches_that_took_the_same_shared_result_merge(team: Team) -> None:
    """Who downloads gets the maker's lock byte by byte; who runs it again gets a record of its own, and a conflict."""
    ben, cleo = team.clone("ben"), team.clone("cleo")
    for clone in (ben, cleo):
        clone.replace("params.yaml", "3", "6")
        clone.git("checkout", "-q", "-b", clone.root.name)
    ana = team.ana
    ana.replace("params.yaml", "3", "6")
    ana.run("run", "--share")
    for clone in (ben, cleo):
        assert clone.run("run", "--json").json["actions"] == {"clean": "download", "fit": "download"}
        clone.commit("deep")
    ben.git("fetch", "-q", str(cleo.root), "cleo:cleo")
    assert merge(ben, "cleo")
    assert ben.run("run").out == "up to date: 2 stages\n"
