"""Stages that stand on another tool's word: up to date, but proof of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc_project import DvcProject, three_revisions

from mintage.errors import DigestMismatchError
from mintage.lineage.run_links import run_link
from mintage.record.digest import blake3_bytes
from mintage.repo.workspace import Workspace
from mintage.store.local import Store
from small_project import flip


@pytest.fixture
def imported(tmp_path: Path) -> DvcProject:
    made = DvcProject(tmp_path / "dvc project", tmp_path / "home")
    made.home.mkdir()
    three_revisions(made)
    made.run("import", "dvc")
    made.commit("imported")
    return made


def test_run_on_an_adopted_stage_does_not_verify_until_it_was_made_again(imported: DvcProject) -> None:
    imported.write("count.py", "open('n.txt', 'w').write(str(len(open('work/clean.csv').read())))\n")
    stage = "  count:\n    run: python count.py\n    in: [work/clean.csv]\n    out: [n.txt]\n"
    imported.write("mintage.yaml", imported.read("mintage.yaml") + stage)
    assert imported.run("run", "--json").json["actions"] == {"prepare": "keep", "count": "run"}
    workspace = Workspace(imported.root)
    store = Store(workspace.store_dir)
    link = run_link(store, workspace.git, imported.lock("count")["run"])
    assert not link.whole
    assert link.detail.startswith("no run of Mintage's made the outputs of stage prepare")
    assert link.detail.endswith("found imported from dvc.lock")
    imported.run("run", "--force")
    assert run_link(store, workspace.git, imported.lock("count")["run"]).whole


def test_adopted_result_is_not_restored_under_its_key(imported: DvcProject) -> None:
    imported.write("params.yaml", "prepare: {skip: 0}\n")
    imported.run("run")
    imported.write("params.yaml", "prepare: {skip: 2}\n")
    assert imported.run("run", "--json").json["actions"] == {"prepare": "run"}


def test_script_named_within_a_shell_counts_as_code(imported: DvcProject) -> None:
    imported.replace("mintage.yaml", "run: python prepare.py", "run: sh -c 'python prepare.py && true'")
    imported.run("run")
    assert list(imported.lock("prepare")["parts"]["code"]) == ["prepare.py"]


def test_store_keeps_nothing_of_a_source_that_fails(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def source():
        yield b"half"
        raise DigestMismatchError("not what it should be")

    with pytest.raises(DigestMismatchError):
        store.put_blocks(source())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    digest = store.put_blocks([b"ab", b"c"])
    assert digest == blake3_bytes(b"abc")
    with store.open(digest) as stream:
        assert stream.read() == b"abc"
    flip(store.path_of(digest))
    with pytest.raises(DigestMismatchError):
        store.open(digest)
