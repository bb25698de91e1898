"""The version since which a metric is bad is found by halving, through the cache."""

from __future__ import annotations

import math
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from change_project import ChangeProject

from mintage.errors import RefusedError, UnknownNameError
from mintage.pipeline.change.bisect import Bound, bisect
from mintage.pipeline.change.differences import data_differences
from mintage.pipeline.change.search import next_probe, suspects
from mintage.pipeline.change.versions import commits_between, versions_of
from mintage.repo.locks import Item
from mintage.store.local import Store

TOO_HIGH = Bound(metric="score", limit=500, below=False)


@pytest.fixture
def project(tmp_path):
    made = ChangeProject(tmp_path / "a project")
    made.add()
    made.commit("start")
    yield made
    made.connection.close()


def by_commit(project, good=None, bad="HEAD", bound=TOO_HIGH):
    versions = commits_between(project.workspace.git, good, bad)
    return bisect(project.workspace, versions, bound, run=project.run_stages)


def by_data(project, path="data/rows.txt", good=None, bad="HEAD"):
    versions = versions_of(project.workspace.git, path, good, bad)
    found = bisect(project.workspace, versions, TOO_HIGH, run=project.run_stages, path=path, base=bad)
    return versions, found


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 65])
def test_halving_needs_no_more_probes_than_it_says(count) -> None:
    for first in range(count):
        judged = {count - 1: "bad"}
        while (number := next_probe(count, judged)) is not None:
            judged[number] = "bad" if number >= first else "good"
        assert suspects(count, judged) == (first,)
        assert len(judged) <= math.ceil(math.log2(count)) + 1


def test_skipped_versions_before_the_first_bad_one_stay_suspects() -> None:
    judged = {5: "bad"}
    while (number := next_probe(6, judged)) is not None:
        judged[number] = "skip" if number in (2, 3) else "bad" if number >= 3 else "good"
    assert suspects(6, judged) == (2, 3, 4)


def test_bad_rows_among_64_data_versions_are_found_in_at_most_7_runs(project) -> None:
    for version in range(1, 64):
        bad = "700\n" if version >= 41 else ""
        project.write("data/rows.txt", "1\n2\n" + "0\n" * version + bad)
        project.add()
        project.commit(f"version {version}")
    head = project.git("rev-parse", "HEAD")
    versions, found = by_data(project)
    assert len(versions) == 64
    assert project.ran("fit") == found.ran <= 7
    assert [project.git("log", "-1", "--format=%s", suspect.commit) for suspect in found.suspects] == ["version 41"]
    assert found.differences == {"data": ["2 lines are new: 0 | 700"]}
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == ""
    _, again = by_data(project)
    assert (again.ran, again.suspects) == (0, found.suspects)


def test_the_commit_that_broke_the_metric_is_found_and_what_it_changed(project) -> None:
    for number in range(10):
        project.write("README.md", f"{number}\n")
        if number == 6:
            project.replace("fit.py", "0 + total", "900 + total")
        project.commit(f"commit {number}")
    found = by_commit(project)
    (suspect,) = found.suspects
    assert project.git("log", "-1", "--format=%s", suspect.commit) == "commit 6"
    assert found.differences == {"code": ["fit.py"]}
    assert project.ran("fit") == found.ran == 2, "all other commits have the key of one of those two"


def test_a_commit_that_fails_is_skipped(project) -> None:
    good = project.git("rev-parse", "HEAD")
    project.replace("fit.py", "0 + total", "1 / 0 + total")
    broken = project.commit("broken")
    project.replace("fit.py", "1 / 0 + total", "2 + total")
    fine = project.commit("mended")
    project.replace("fit.py", "2 + total", "900 + total")
    bad = project.commit("bad")
    found = by_commit(project)
    assert [suspect.commit for suspect in found.suspects] == [bad]
    assert found.good is not None
    assert found.good.commit == fine
    assert {probe.judgement for probe in by_commit(project, good, "HEAD").probes} >= {"bad"}
    project.git("reset", "-q", "--hard", broken)
    project.write("fit.py", (project.root / "fit.py").read_text().replace("1 / 0", "900"))
    last = project.commit("bad at once")
    found = by_commit(project)
    assert [suspect.commit for suspect in found.suspects] == [broken, last]
    assert [probe.why for probe in found.probes if probe.judgement == "skip"] == ["stage fit failed: exit code 1"]


def test_bad_from_the_first_on_has_no_good_one(project) -> None:
    project.write("params.yaml", "fit:\n  depth: 100\n")
    project.commit("deep")
    found = by_commit(project, good="HEAD")
    assert (len(found.suspects), found.good, found.differences) == (1, None, {})


def test_an_end_that_is_not_bad_and_commits_that_do_not_follow_are_refused(project) -> None:
    with pytest.raises(RefusedError, match="is not bad at the end"):
        by_commit(project)
    project.write("README.md", "x\n")
    project.commit("later")
    with pytest.raises(RefusedError, match="does not come after"):
        by_commit(project, good="HEAD", bad="HEAD~1")


def test_a_version_whose_bytes_are_gone_is_skipped(project) -> None:
    for version in range(1, 4):
        project.write("data/rows.txt", "1\n" * version + ("800\n" if version == 3 else ""))
        project.add()
        project.commit(f"version {version}")
    versions, _ = by_data(project, good="HEAD")
    assert len(versions) == 1
    versions = versions_of(project.workspace.git, "data/rows.txt", None, "HEAD")
    for version in versions[1:3]:
        (project.workspace.store_dir / "b3" / version.content.digest[3:5] / version.content.digest[5:]).unlink()
    _, found = by_data(project)
    assert len(found.suspects) == 3
    assert {probe.why for probe in found.probes if probe.judgement == "skip"} == {
        "these bytes of data/rows.txt are not in the store"
    }


def test_data_that_git_tracks_have_versions_too(tmp_path) -> None:
    project = ChangeProject(tmp_path / "p")
    project.commit("start")
    for version in range(5):
        project.write("data/rows.txt", f"{version}\n" + ("600\n" if version > 2 else ""))
        project.commit(f"version {version}")
    _, found = by_data(project)
    project.connection.close()
    assert [project.git("log", "-1", "--format=%s", each.commit) for each in found.suspects] == ["version 3"]


def test_a_path_without_versions_is_refused(project) -> None:
    with pytest.raises(UnknownNameError, match="has no version of data/other"):
        by_data(project, path="data/other.txt")


def item_of(project, path):
    store = Store(project.workspace.store_dir)
    full = project.root / path
    digest = store.put_tree(full) if full.is_dir() else store.put_file(full)
    return Item(path=path, digest=digest, size=0, folder=full.is_dir())


def test_rows_of_parquet_and_files_of_folders_are_told_apart(project) -> None:
    items = []
    for rows in ([1, 2, 2], [2, 3, 1]):
        pq.write_table(pa.table({"x": rows, "y": ["a", "b", "c"]}), project.root / "data/t.parquet")
        items.append(item_of(project, "data/t.parquet"))
    assert data_differences(project.workspace, "data/t.parquet", *items) == [
        '3 lines are new: 2,"a" | 3,"b" | 1,"c"',
        '3 lines are gone: 1,"a" | 2,"b" | 2,"c"',
    ]
    folder = project.root / "folder"
    folder.mkdir()
    for name in ("same", "changed", "gone"):
        (folder / name).write_text(name)
    old = item_of(project, "folder")
    (folder / "gone").unlink()
    for name in ("changed", "new"):
        (folder / name).write_text("x")
    new = item_of(project, "folder")
    assert data_differences(project.workspace, "folder", old, new) == ["new is new", "gone is gone", "changed changed"]


def test_content_that_is_no_text_is_told_by_its_size(project) -> None:
    items = []
    for text in (b"\0\1", b"\0\2"):
        (project.root / "data/x.bin").write_bytes(text)
        items.append(item_of(project, "data/x.bin"))
    (said,) = data_differences(project.workspace, "data/x.bin", *items)
    assert said.startswith("data/x.bin: 0 bytes (b3:")


def test_a_folder_into_which_stages_write_is_no_data_and_a_project_may_lie_in_a_sub_folder(tmp_path) -> None:
    (tmp_path / "top").mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path / "top", check=True)
    project = ChangeProject(tmp_path / "top" / "sub")
    shutil.rmtree(project.root / ".git")
    for words in (("config", "user.email", "t@e.org"), ("config", "user.name", "T")):
        project.git(*words)
    project.replace("mintage.yaml", "out: [clean.txt]", "out: [made/clean.txt]")
    project.replace("mintage.yaml", "in: [clean.txt]", "in: [made/]")
    project.write(".gitignore", "made/\nmetrics.json\n")
    for name in ("prepare.py", "fit.py"):
        project.replace(name, "clean.txt", "made/clean.txt")
    project.add("data")
    project.commit("start")
    project.write("data/rows.txt", "1\n600\n")
    project.add("data")
    project.commit("bad")
    found = by_commit(project)
    assert found.differences == {"data": ["data/rows.txt: 1 line is new: 600; 1 line is gone: 2"]}
    _, by_path = by_data(project, path="data")
    project.connection.close()
    assert by_path.differences == {"data": ["rows.txt changed"]}
    assert [each.commit for each in by_path.suspects] == [project.git("rev-parse", "HEAD")]
