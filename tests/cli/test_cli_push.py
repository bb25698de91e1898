"""``push`` and ``pull``: a clone gets data and results through a folder, every byte verified."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mintage.store.local import Store
from small_project import SmallProject


@pytest.fixture
def shared(released: SmallProject, tmp_path: Path) -> SmallProject:
    """The released project with a remote of its own, pushed and committed."""
    released.write("mintage.yaml", released.read("mintage.yaml") + f"remote: {tmp_path / 'remote'}\n")
    released.commit("a remote")
    assert released.run("push", "--json").json["copied"] > 10
    return released


def clone(project: SmallProject, folder: Path) -> SmallProject:
    """A clone that has nothing but what Git carries."""
    made = SmallProject(folder, project.home)
    folder.parent.mkdir(parents=True, exist_ok=True)
    project.git("clone", "-q", f"file://{project.root}", str(folder))
    return made


def remote_blob(tmp_path: Path, digest: str) -> Path:
    return Store(tmp_path / "remote").path_of(digest)


def test_a_clone_pulls_and_has_nothing_to_run(shared, tmp_path):
    second = clone(shared, tmp_path / "clone")
    assert not (second.root / "data/visits.csv").exists()
    answer = second.run("pull")
    assert "placed data/visits.csv" in answer.out and "placed model:buys" in answer.out
    assert second.run("run").out == "up to date: 3 stages\n"
    assert second.run("status", "--exit-code").code == 0
    assert second.git("status", "--porcelain") == ""
    assert second.run("pull", "--json").json["copied"] == 0


def test_what_the_certificate_rests_on_comes_too(shared, tmp_path):
    second = clone(shared, tmp_path / "clone")
    second.git("fetch", "-q", "origin", "refs/mintage/*:refs/mintage/*")
    second.run("pull")
    assert "verified: all" in second.run("verify", "buys").out
    run = shared.lock("train")["run"]
    logs = [stage["log"] for stage in second.record(run)["body"]["stages"].values() if "log" in stage]
    assert logs and all(second.blob(log).is_file() for log in logs)


@pytest.mark.slow
def test_pushing_again_copies_only_what_is_new(shared):
    assert shared.run("push", "--json").json["copied"] == 0
    shared.replace("params.yaml", "0.05", "0.07")
    shared.run("run")
    assert 0 < shared.run("push", "--json").json["copied"] < 20


def test_an_interrupted_push_goes_on(shared, tmp_path):
    digest = shared.lock("train")["outputs"][0]["digest"]
    blob = remote_blob(tmp_path, digest)
    whole = blob.read_bytes()
    blob.unlink()
    (blob.parent / ".tmp-0123456789abcdef").write_bytes(whole[:10])
    assert shared.run("push", "--json").json["copied"] == 1
    assert blob.read_bytes() == whole
    blob.chmod(0o644)
    blob.write_bytes(whole[:10])  # by a program that does not write as we do
    assert shared.run("push", "--json").json["copied"] == 1
    assert blob.read_bytes() == whole


def test_corrupt_bytes_are_never_pushed(shared, tmp_path):
    digest = shared.lock("data/visits.csv")["outputs"][0]["digest"]
    remote_blob(tmp_path, digest).unlink()
    mine = shared.blob(digest)
    mine.chmod(0o644)
    mine.write_bytes(b"x" + mine.read_bytes()[1:])
    assert "error[store.digest-mismatch]" in shared.run("push", expect=4).err
    assert not remote_blob(tmp_path, digest).exists()
    assert not list((tmp_path / "remote").rglob(".tmp-*"))


def test_corrupt_bytes_are_never_pulled(shared, tmp_path):
    digest = shared.lock("data/visits.csv")["outputs"][0]["digest"]
    blob = remote_blob(tmp_path, digest)
    blob.chmod(0o644)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])
    second = clone(shared, tmp_path / "clone")
    assert "error[store.digest-mismatch]" in second.run("pull", expect=4).err
    assert not (second.root / "data/visits.csv").exists() and not second.blob(digest).exists()


def test_what_the_remote_lacks_is_named_and_nothing_is_put_in_place(shared, tmp_path):
    remote_blob(tmp_path, shared.lock("data/visits.csv")["outputs"][0]["digest"]).unlink()
    second = clone(shared, tmp_path / "clone")
    answer = second.run("pull", expect=4)
    assert "the remote lacks 1 blob" in answer.err and "data/visits.csv" in answer.err
    assert not (second.root / "work/model.joblib").exists()


def test_what_is_nowhere_is_named_by_push_and_all_else_pushed(shared, tmp_path):
    digest = shared.lock("data/visits.csv")["outputs"][0]["digest"]
    shutil.rmtree(tmp_path / "remote")
    shared.blob(digest).unlink()
    answer = shared.run("push", expect=4)
    assert "1 blob that the locks or their records name is nowhere" in answer.err
    assert remote_blob(tmp_path, shared.lock("train")["outputs"][0]["digest"]).is_file()


def test_changes_that_are_in_no_store_are_not_overwritten(shared):
    shared.write("data/visits.csv", "mine\n")
    assert "error[data.modified]" in shared.run("pull", expect=3).err
    assert shared.read("data/visits.csv") == "mine\n"
    shared.run("pull", "--force")
    assert shared.read("data/visits.csv") != "mine\n"


def test_both_are_in_the_audit_log(shared):
    shared.run("pull")
    actions = [event["action"] for event in shared.audit()]
    assert "data.push" in actions and actions[-1] == "data.pull"


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        ("s3://bucket/churn", "a remote at s3: cannot be used yet"),
        (".", "lie in each other"),
        ("data/remote", "lie in each other"),
        ("..", "lie in each other"),
        ("/nowhere/at/all", "the remote is not there"),
    ],
)
def test_a_remote_that_cannot_be_one_is_refused(fresh, remote, said):
    fresh.write("mintage.yaml", fresh.read("mintage.yaml") + f"remote: {remote}\n")
    answer = fresh.run("pull", expect=3)
    assert "error[project.remote]" in answer.err and said in answer.err


def test_without_a_remote_the_line_to_write_is_named(fresh):
    assert "remote: ~/mintage-remotes/" in fresh.run("push", expect=3).err


def test_a_layout_of_a_later_version_is_refused(fresh, tmp_path):
    (tmp_path / "remote").mkdir()
    (tmp_path / "remote/mintage-remote.json").write_text('{"kind": "remote", "version": 1}')
    fresh.write("mintage.yaml", fresh.read("mintage.yaml") + f"remote: {tmp_path / 'remote'}\n")
    assert "layout that is not known" in fresh.run("push", expect=3).err


def test_the_home_folder_is_of_whoever_runs_it(fresh):
    fresh.write("mintage.yaml", fresh.read("mintage.yaml") + "remote: ~/shared/visits\n")
    fresh.run("push")
    assert (fresh.home / "shared/visits/mintage-remote.json").is_file()
