"""`mintage reproduce` on a project with a model: from a fresh clone and a remote only; a fault is found and named."""

from __future__ import annotations

import subprocess

import pytest

from small_project import SmallProject


@pytest.fixture
def built(fresh, tmp_path) -> SmallProject:
    """The project after a run, committed and pushed."""
    fresh.replace("mintage.yaml", "project: visits\n", f"project: visits\nremote: {tmp_path / 'remote'}\n")
    fresh.replace("mintage.yaml", "    threads: 1\n", "    threads: 1\n    determinism: portable\n")
    fresh.run("run")
    fresh.commit("model a")
    fresh.run("push")
    return fresh


@pytest.mark.slow
def test_a_model_comes_out_bit_for_bit_from_a_fresh_clone_and_a_remote_only(built, tmp_path) -> None:
    subprocess.run(["git", "clone", "-q", str(built.root), str(tmp_path / "clone")], check=True)
    clone = SmallProject(tmp_path / "clone", built.home)
    said = clone.run("reproduce", "buys", "--json").json
    assert said["level"] == "identical"
    assert [stage["name"] for stage in said["stages"]] == ["split", "train", "model:buys"]
    assert said["models"] == {"model:buys": built.lock("model:buys")["root"]}
    assert clone.git("status", "--porcelain") == ""
    # the signed statement is in the store and under a ref, and says the same
    bundle = clone.blob(said["attestation"]).read_text()
    assert clone.git("cat-file", "blob", said["ref"]) == bundle
    assert clone.audit()[-1]["action"] == "pipeline.reproduce"
    statement = built.run("show", said["attestation"], expect=None)
    assert statement.code == 4  # the other clone has not got it
    # a rebuilder has a key of its own, which the project knows once trust.yaml has it
    (listed,) = clone.run("reproduce", "--list", "--json").json["reproductions"]
    assert (listed["attestation"], listed["level"]) == (said["attestation"], "identical")
    built.git("fetch", "-q", str(clone.root), "refs/mintage/reproductions/*:refs/mintage/reproductions/*")
    (seen,) = built.run("reproduce", "--list", "--json").json["reproductions"]
    assert (seen["level"], seen["by"]) == ("not verified", "-")
    assert "not trusted" in seen["signed_by"]
    key = (clone.root / ".mintage/keys/project.pem.pub").read_text().strip().replace("\n", "\n      ")
    entry = f"  rebuilder:\n    public: |\n      {key}\n    roles: [reproduction]\n"
    built.write("trust.yaml", built.read("trust.yaml") + entry)
    (seen,) = built.run("reproduce", "--list", "--json").json["reproductions"]
    assert (seen["level"], seen["signed_by"]) == ("identical", "rebuilder")
    # moved under another commit, it does not count there
    head = built.commit("trust the rebuilder")
    built.git("update-ref", f"refs/mintage/reproductions/{head}/000000000000", said["ref"])
    (moved,) = built.run("reproduce", "--list", "--json").json["reproductions"]
    assert moved["level"] == "not verified"


@pytest.mark.slow
def test_a_training_that_is_not_repeatable_is_different_and_its_stage_named(built) -> None:
    text = built.read("split.py")
    built.write("split.py", text + "\nopen('work/noise.txt', 'w').write(__import__('secrets').token_hex(8))\n")
    built.replace("mintage.yaml", "out: [work/train.parquet,", "out: [work/noise.txt, work/train.parquet,")
    built.run("run")
    built.commit("noise")
    said = built.run("reproduce", expect=1)
    assert "DIFFERENT" in said.out
    assert "the first stage that came out otherwise is split" in said.out
    assert "work/noise.txt" in said.out
    assert "model:buys   identical" in said.out
    assert built.run("reproduce", "--at-least", "different", "--json").json["first_divergent"] == "split"


def test_a_project_that_never_ran_has_nothing_to_reproduce(fresh) -> None:
    answer = fresh.run("reproduce", "--json", expect=3)
    assert answer.json["error"]["code"] == "reproduce.nothing-recorded"


@pytest.mark.slow
def test_a_commit_without_the_code_that_was_run_says_what_to_commit(built) -> None:
    built.git("rm", "-q", "--cached", "split.py")
    built.git("commit", "-qm", "the script was forgotten")
    answer = built.run("reproduce", expect=3)
    assert "does not hold split.py, which its stage split ran" in answer.err
    assert "`git add split.py`" in answer.err


def test_an_unknown_revision_is_refused_by_name(fresh) -> None:
    answer = fresh.run("reproduce", "no-such-thing", expect=3)
    assert "no-such-thing" in answer.err


@pytest.mark.parametrize("text", ["-1", "2", "x"])
def test_a_tolerance_is_a_share_between_nothing_and_one(fresh, text) -> None:
    fresh.run("reproduce", f"--tolerance={text}", expect=2)
