"""``mintage import dvc`` on what is broken, hostile, unfinished or has no equal: a clear word, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from dvc_project import DvcProject, md5, three_revisions

import mintage
from mintage.errors import BlobMissingError
from small_project import flip


@pytest.fixture
def empty(tmp_path: Path) -> DvcProject:
    project = DvcProject(tmp_path / "dvc project", tmp_path / "home")
    project.home.mkdir()
    project.begin()
    return project


@pytest.fixture
def project(tmp_path: Path) -> DvcProject:
    made = DvcProject(tmp_path / "dvc project", tmp_path / "home")
    made.home.mkdir()
    three_revisions(made)
    return made


def notes(project: DvcProject, expect: int = 0) -> list[str]:
    return [f"{where}: {text}" for where, text in project.run("import", "dvc", "--json", expect=expect).json["notes"]]


def test_corrupt_object_never_enters_the_store(project: DvcProject, monkeypatch: pytest.MonkeyPatch) -> None:
    name = md5(b"x\n1\n2\n")
    flip(project.object_path(name))
    corrupt = project.object_path(name).read_bytes()
    answer = project.run("import", "dvc")
    assert f"({name}): corrupt: its bytes have another MD5" in answer.out
    stored = [path.read_bytes() for path in (project.root / ".mintage/store/b3").rglob("*") if path.is_file()]
    assert corrupt not in stored
    monkeypatch.chdir(project.root)
    with pytest.raises(BlobMissingError) as caught:
        mintage.open("data/raw.csv", rev="v1")
    assert caught.value.found == "corrupt: its bytes have another MD5"


def test_corrupt_object_of_the_present_is_taken_from_the_work_tree(project: DvcProject) -> None:
    flip(project.object_path(md5(b"x\n1\n2\n3\n")))
    flip(project.object_path(md5(b"three")))
    assert project.run("import", "dvc", "--json").json["missing"] == []
    assert project.run("status", "--exit-code").code == 0


def test_data_that_are_nowhere_are_listed_and_the_exit_code_says_so(project: DvcProject) -> None:
    name = md5(b"x\n1\n2\n3\n")
    project.object_path(name).unlink()
    (project.root / "data/raw.csv").unlink()
    answer = project.run("import", "dvc", expect=1)
    assert f"Missing now:\n  data/raw.csv.dvc ({name}): missing\n" in answer.out
    assert "`dvc fetch --all-commits` may bring them" in answer.err
    assert "data/raw.csv" in project.run("run", expect=3).err
    project.keep(b"x\n1\n2\n3\n")
    again = project.run("import", "dvc", "--json").json
    assert ("data/raw.csv" in again["data"], again["adopted"]) == (True, ["prepare"])
    assert project.run("status", "--exit-code").code == 0


def test_list_of_a_folder_that_names_a_path_outside_it_is_refused(empty: DvcProject, tmp_path: Path) -> None:
    data = json.dumps([{"md5": empty.keep(b"evil"), "relpath": "../../escaped.txt"}]).encode()
    name = empty.keep(data, name=md5(data) + ".dir")
    empty.write("folder.dvc", yaml.safe_dump({"outs": [empty.entry("folder", name, 4)]}))
    empty.commit("hostile")
    answer = empty.run("import", "dvc", expect=1)
    assert "unsafe: it names the path '../../escaped.txt'" in answer.out
    assert list(tmp_path.rglob("escaped.txt")) == []


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/hostname", "s3://bucket/key", "sub/../../outside.csv"])
def test_path_outside_the_project_is_listed_and_not_followed(empty: DvcProject, tmp_path: Path, path: str) -> None:
    name = empty.keep(b"outside")
    empty.write("x.dvc", yaml.safe_dump({"outs": [empty.entry(path, name, 7)]}))
    empty.pipeline(
        {
            "stages": {
                "reads": {"cmd": "true", "deps": [path], "outs": ["made"]},
                "writes": {"cmd": "true", "outs": [path]},
                "runs": {"cmd": "true", "wdir": path},
            }
        }
    )
    empty.commit("outside")
    answer = empty.run("import", "dvc", "--json").json
    assert [["x.dvc", f"{path} lies outside the project"]] == answer["problems"]
    assert answer["notes"] == [
        ["reads", f"left out of `in`: {path} lies outside the project; changes of it go unseen"],
        ["writes", "left out: it writes outside the project"],
        ["runs", "left out: it runs in a folder outside the project"],
    ]
    assert not (tmp_path / "outside.csv").exists()
    assert list(yaml.safe_load(empty.read("mintage.yaml"))["stages"]) == ["reads"]


def test_name_of_an_object_that_is_no_md5_is_refused(empty: DvcProject) -> None:
    empty.write("x.dvc", yaml.safe_dump({"outs": [{"path": "x", "md5": "../../../etc/passwd"}]}))
    empty.commit("hostile")
    problems = empty.run("import", "dvc", "--json").json["problems"]
    assert problems == [["x.dvc", "not the name of a DVC object: ../../../etc/passwd"]]


def test_yaml_that_grows_without_bound_ends_in_an_error(empty: DvcProject) -> None:
    lines = ["vars:", "  - a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    empty.write("dvc.yaml", "\n".join(lines) + "\nstages: {}\n")
    empty.commit("bomb")
    answer = empty.run("import", "dvc", expect=3)
    assert "error[project.file-malformed]: too many values" in answer.err
    assert not (empty.root / "mintage.yaml").exists()


def test_files_of_dvc_that_are_not_committed_are_refused(project: DvcProject) -> None:
    project.write("params.yaml", "prepare: {skip: 5}\n")
    answer = project.run("import", "dvc", expect=3)
    assert "found params.yaml" in answer.err
    assert not (project.root / "mintage.yaml").exists()
    project.git("checkout", "params.yaml")
    project.write("notes.txt", "not DVC's\n")
    project.run("import", "dvc")


def test_mintage_project_that_is_there_is_left_alone(project: DvcProject) -> None:
    project.write("mintage.yaml", "project: mine\n")
    answer = project.run("import", "dvc", expect=3)
    assert "there is a Mintage project here already" in answer.err
    assert project.read("mintage.yaml") == "project: mine\n"
    assert not (project.root / "mintage.lock").exists()


def test_project_without_a_commit_and_folder_without_dvc_are_refused(empty: DvcProject, tmp_path: Path) -> None:
    assert "the DVC project has no commit" in empty.run("import", "dvc", expect=3).err
    assert "there is no DVC project here" in empty.run("import", "dvc", cwd=tmp_path, expect=3).err
    assert "invalid choice: 'git'" in empty.run("import", "git", expect=2).err


def test_revision_with_a_broken_file_is_named_and_hides_no_other(project: DvcProject) -> None:
    good = project.read("data/raw.csv.dvc")
    project.write("data/raw.csv.dvc", "outs: [\n<<<<<<< HEAD\n")
    broken = project.commit("broken")
    project.write("data/raw.csv.dvc", good)
    project.commit("mended")
    answer = project.run("import", "dvc", "--json").json
    assert [where for where, _ in answer["problems"]] == [f"data/raw.csv.dvc at {broken[:12]}"]
    assert (answer["missing_before"], answer["adopted"]) == ([], ["prepare"])


def test_everything_without_an_equal_is_listed_with_its_reason(empty: DvcProject) -> None:
    empty.write("params.yaml", "a: 1\n")
    empty.write("more.toml", "b = 2\n")
    empty.write("values.py", "c = 3\n")
    empty.write("x.py", "print(1)\n")
    empty.pipeline(
        {
            "plots": [{"p.csv": {"x": "step"}}],
            "nonsense": 1,
            "stages": {
                "fit@1": {
                    "cmd": "python x.py",
                    "params": ["a", {"more.toml": ["b"]}, {"values.py": ["c"]}, "gone"],
                    "outs": [{"model": {"persist": True, "push": False, "desc": "kept"}}],
                    "metrics": ["m.yaml"],
                    "always_changed": True,
                    "meta": {"x": 1},
                    "nonsense": 2,
                },
                "old": {"cmd": "true", "frozen": True, "outs": ["old.bin"]},
            },
        }
    )
    empty.commit("odd")
    assert notes(empty) == [
        "dvc.yaml: left out: the unknown key 'nonsense'",
        "dvc.yaml: left out: plots: what a plot looks like has no equal",
        "fit@1: all of more.toml counts, not only b: it is an input here",
        "fit@1: values.py is not read as values, being Python: all of it counts, as code",
        "fit@1: all of params.yaml counts: the parameter gone is not to be found in it by name",
        "fit@1: model does not persist: each run starts without it",
        "fit@1: left out of model: push",
        "fit@1: m.yaml is a plain output: only JSON metrics are tracked",
        "fit@1: always_changed has no equal: `mintage run --force` runs it again",
        "fit@1: left out: meta",
        "fit@1: left out: the unknown key 'nonsense'",
        "fit@1: is called fit-1 here",
        "old: frozen, so its outputs are versioned data now; its command was: true",
    ]
    text = empty.read("mintage.yaml")
    assert all(line in text for line in ("# Not as it was in DVC:", "#   old: frozen, so its outputs are versioned"))
    assert yaml.safe_load(text)["stages"] == {
        "fit-1": {
            "run": "python x.py",
            "in": ["more.toml", "params.yaml"],
            "out": ["model", "m.yaml"],
            "params": ["a"],
            "code": ["values.py"],
        }
    }


def test_model_is_not_built_on_dvcs_word_until_a_run_has_made_the_outputs(project: DvcProject) -> None:
    project.run("import", "dvc")
    project.write("mintage.yaml", project.read("mintage.yaml") + "models:\n  m: {from: work/clean.csv}\n")
    project.write(
        "models/m.yaml",
        "model: m\ntask: binary\ntarget: y\npurpose: Test.\nowner: a@example.org\n"
        "data: {train: work/clean.csv, validation: work/clean.csv, holdout: work/clean.csv}\n"
        "inputs:\n  x: {type: float, nullable: false}\n",
    )
    answer = project.run("run", expect=3)
    assert "no run of Mintage's made the outputs of stage prepare: they were imported" in answer.err
    assert "`mintage run prepare --force`" in answer.err
