"""``mintage import dvc`` on projects written in DVC's format: data, stages, history, several layouts."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml
from dvc_project import DvcProject, md5, three_revisions

import mintage
from mintage.errors import BlobMissingError, UnknownNameError, UsageError


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


def content(path: str, revision: str = "HEAD") -> bytes:
    with mintage.open(path, rev=revision) as stream:
        return stream.read()


def test_imported_project_is_up_to_date_and_runs_nothing(project: DvcProject) -> None:
    answer = project.run("import", "dvc")
    assert "prepare: up to date, as dvc.lock says" in answer.out
    assert "git add mintage.yaml mintage.lock .gitignore && git commit\n" in answer.err
    assert project.run("status", "--exit-code").out == "everything is up to date\n"
    assert project.run("run", "--json").json["actions"] == {"prepare": "keep"}
    value = yaml.safe_load(project.read("mintage.yaml"))
    assert value["project"] == "dvc-project"
    assert value["stages"]["prepare"] == {
        "run": "python prepare.py",
        "in": ["data/raw.csv"],
        "out": ["work/clean.csv"],
        "params": ["prepare.skip"],
    }
    assert project.git("status", "--short").split() == ["??", "mintage.lock/", "??", "mintage.yaml"]


def test_record_of_a_stage_says_that_it_is_dvcs_word(project: DvcProject) -> None:
    project.run("import", "dvc")
    record = project.record(project.lock("prepare")["run"])
    assert (record["kind"], record["body"]["note"]) == ("adopted", "imported from dvc.lock")
    assert record["body"]["commit"] == project.git("rev-parse", "HEAD")
    assert record["body"]["stages"]["prepare"]["said"]["outs"] == {"work/clean.csv": md5(b"2\n3\n")}
    assert project.audit()[-1].get("action") == "data.import"


def test_stage_runs_again_with_the_params_file_it_opens_and_makes_the_same_bytes(project: DvcProject) -> None:
    project.run("import", "dvc")
    before = project.lock("prepare")["outputs"]
    assert project.run("run", "--force", "--json").json["actions"] == {"prepare": "run"}
    after = project.lock("prepare")
    assert after["outputs"] == before
    assert project.record(after["run"])["kind"] == "run"
    project.write("params.yaml", "prepare: {skip: 0}\nother: 1\n")
    assert project.run("run", "--json").json["actions"] == {"prepare": "run"}
    assert project.read("work/clean.csv") == "x\n1\n2\n3\n"
    project.write("params.yaml", "prepare: {skip: 0}\nother: 2\n")
    assert project.run("run", "--json").json["actions"] == {"prepare": "keep"}


def test_each_revision_has_the_bytes_that_it_had(project: DvcProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.run("import", "dvc")
    monkeypatch.chdir(project.root)
    truth = {
        ("v1", "data/raw.csv"): b"x\n1\n2\n",
        ("v2", "data/raw.csv"): b"x\n1\n2\n3\n",
        ("v1", "work/clean.csv"): b"1\n2\n",
        ("v2", "work/clean.csv"): b"1\n2\n3\n",
        ("v3", "work/clean.csv"): b"2\n3\n",
        ("v1", "images/in/b.txt"): b"two",
        ("v3", "images/c.txt"): b"three",
        ("v1", "params.yaml"): b"prepare: {skip: 1}\n",
    }
    for (revision, path), data in truth.items():
        assert content(path, revision) == data
    with pytest.raises(UnknownNameError):
        mintage.open("images/c.txt", rev="v1")
    with pytest.raises(UsageError):
        mintage.open("images", rev="v1")


def test_checkout_brings_a_revision_back_and_the_present_again(project: DvcProject) -> None:
    project.run("import", "dvc")
    project.commit("imported")
    assert sorted(project.run("checkout", "--rev", "v1", "--json").json) == ["data/raw.csv", "images", "work/clean.csv"]
    assert project.read("data/raw.csv") == "x\n1\n2\n"
    assert not (project.root / "images/c.txt").exists()
    assert "data/raw.csv: changed" in project.run("status").out
    project.run("checkout")
    assert project.run("status", "--exit-code").out == "everything is up to date\n"
    assert project.run("checkout", "--rev", "HEAD", "images", "--json").json == []
    assert "did you mean 'images'?" in project.run("checkout", "--rev", "v1", "imags", expect=3).err


@pytest.mark.parametrize(("history", "revisions", "old"), [("none", 1, False), ("tags", 3, True), ("all", 3, True)])
def test_history_says_how_far_back_the_data_go(
    project: DvcProject, history: str, revisions: int, old: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = project.run("import", "dvc", "--history", history, "--json").json
    assert answer["revisions"] == revisions
    monkeypatch.chdir(project.root)
    if old:
        assert content("data/raw.csv", "v1") == b"x\n1\n2\n"
    else:
        with pytest.raises(BlobMissingError, match=r"data/raw\.csv"):
            mintage.open("data/raw.csv", rev="v1")


def test_history_of_a_branch_that_was_never_merged_is_brought_in(project: DvcProject) -> None:
    project.git("checkout", "-qb", "side", "v1")
    project.dvc_add("data/raw.csv", b"of the side\n")
    project.commit("side")
    project.git("checkout", "-q", "v3")
    project.dvc_add("data/raw.csv", b"x\n1\n2\n3\n")
    names = project.record_of_import()["objects"] if project.run("import", "dvc").code == 0 else {}
    assert md5(b"of the side\n") in names


def test_objects_come_from_the_remote_folder_when_the_cache_is_gone(project: DvcProject, tmp_path: Path) -> None:
    shutil.move(project.cache, tmp_path / "remote")
    shutil.rmtree(project.root / "images")
    (project.root / "data/raw.csv").unlink()
    project.write(".dvc/config", "[core]\n    remote = up\n['remote \"up\"']\n    url = ../../remote\n")
    project.commit("a remote")
    answer = project.run("import", "dvc", "--json").json
    assert (answer["missing"], answer["adopted"]) == ([], ["prepare"])
    assert (project.root / "images/c.txt").read_bytes() == b"three"
    assert project.run("status", "--exit-code").code == 0


def test_remote_on_a_server_is_named_with_what_to_do(project: DvcProject) -> None:
    project.write(".dvc/config.local", "[core]\n    remote = s\n['remote \"s\"']\n    url = s3://bucket/x\n")
    answer = project.run("import", "dvc")
    assert "remote s (s3): only a folder is read in place; `dvc fetch --all-commits`" in answer.out
    assert "none configured" not in answer.out
    assert "did you mean 's'?" in project.run("import", "dvc", "--remote", "ss", expect=3).err


def test_layout_of_older_dvc_is_read_with_its_md5_of_text(empty: DvcProject, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.layout = ""
    empty.dvc_add("plain.csv", b"plain\n")
    windows = b"a\r\nb\r\n"
    name = empty.keep(windows, name=md5(b"a\nb\n"))
    empty.put("windows.csv", windows)
    empty.write("windows.csv.dvc", yaml.safe_dump({"md5": "0" * 32, "outs": [{"md5": name, "path": "windows.csv"}]}))
    empty.dvc_add("folder", {"x.bin": b"\0\1"})
    empty.write(".gitignore", "/plain.csv\n/windows.csv\n/folder\n")
    empty.commit("old")
    assert empty.run("import", "dvc", "--json").json["missing"] == []
    monkeypatch.chdir(empty.root)
    assert content("windows.csv") == windows
    assert content("folder/x.bin") == b"\0\1"


def test_links_into_the_cache_become_files(project: DvcProject) -> None:
    data = project.root / "data/raw.csv"
    data.unlink()
    data.symlink_to(project.object_path(md5(b"x\n1\n2\n3\n")))
    project.run("import", "dvc")
    assert not data.is_symlink()
    assert data.read_bytes() == b"x\n1\n2\n3\n"
    assert project.run("status", "--exit-code").code == 0


def test_file_changed_since_dvc_added_it_stays_as_it_is(project: DvcProject) -> None:
    project.put("data/raw.csv", b"mine\n")
    answer = project.run("import", "dvc")
    assert "prepare: will run; data/raw.csv is not what dvc.lock says" in answer.out
    assert project.read("data/raw.csv") == "mine\n"
    assert "data/raw.csv: changed since it was added" in project.run("status").out


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("prepare.py", "prepare.py is not what dvc.lock says"),
        ("params.yaml", "the parameter prepare.skip is not that of dvc.lock"),
        ("dvc.yaml", "its command is not that of dvc.lock"),
        ("dvc.lock", "it has no entry in dvc.lock"),
    ],
)
def test_stage_that_dvc_would_run_is_not_taken_as_done(project: DvcProject, change: str, why: str) -> None:
    if change == "dvc.lock":
        (project.root / "dvc.lock").unlink()
    elif change == "params.yaml":
        project.write(change, "prepare: {skip: 3}\n")
    elif change == "dvc.yaml":
        project.replace(change, "python prepare.py", "python3 prepare.py")
    else:
        project.write(change, project.read(change) + "# changed\n")
    project.commit("changed")
    assert project.run("import", "dvc", "--json").json["stale"] == {"prepare": why}
    assert "prepare: never ran" in project.run("status").out
    assert project.run("run", "--json").json["actions"] == {"prepare": "run"}


def test_number_that_dvc_writes_in_yaml_1_2_is_the_same_number(project: DvcProject) -> None:
    project.replace("params.yaml", "skip: 2", "skip: 2, rate: 1.0e-05, deep: [{x: 1.0e-07}]")
    project.replace("dvc.yaml", "- prepare.skip", "- prepare")
    project.replace("dvc.lock", "prepare.skip: 2", "prepare: {skip: 2, rate: 1e-05, deep: [{x: 1e-07}]}")
    project.commit("rate")
    assert project.run("import", "dvc", "--json").json["adopted"] == ["prepare"]


def test_stage_and_data_of_one_name_keep_a_lock_each(empty: DvcProject) -> None:
    empty.dvc_add("data", {"a.txt": b"a"})
    empty.pipeline({"stages": {"data": {"cmd": "cp data/a.txt b.txt", "deps": ["data"], "outs": ["b.txt"]}}})
    empty.commit("one name")
    assert ["data", "is called data-2 here"] in empty.run("import", "dvc", "--json").json["notes"]
    empty.run("run")
    assert {name: empty.lock(name)["what"] for name in ("data", "data-2")} == {"data": "data", "data-2": "stage"}
    assert empty.run("status", "--exit-code").code == 0


def test_interpreter_of_the_project_is_the_one_that_runs_its_stages(project: DvcProject) -> None:
    own = project.root / ".venv/bin/python"
    own.parent.mkdir(parents=True)
    own.symlink_to(sys.executable)
    project.write(".gitignore", "/images\n.venv\n")
    project.commit("ignore")
    project.run("import", "dvc")
    assert yaml.safe_load(project.read("mintage.yaml"))["python"] == ".venv/bin/python"
    assert project.run("status", "--exit-code").code == 0


def test_init_after_an_import_adds_what_signs_and_keeps_the_project(project: DvcProject) -> None:
    project.run("import", "dvc")
    before = project.read("mintage.yaml")
    project.run("init")
    assert (project.root / "trust.yaml").is_file()
    assert project.read("mintage.yaml") == before
    assert project.run("status", "--exit-code").code == 0


def test_source_of_imported_data_is_noted(empty: DvcProject) -> None:
    empty.dvc_add("x.csv", b"x")
    value = yaml.safe_load(empty.read("x.csv.dvc"))
    empty.write("x.csv.dvc", yaml.safe_dump({**value, "deps": [{"path": "https://example.org/x.csv"}], "odd": 1}))
    empty.commit("from elsewhere")
    assert empty.run("import", "dvc", "--json").json["notes"] == [
        ["x.csv.dvc", "its data stay as they are: where they were imported from is not followed"],
        ["x.csv.dvc", "left out: the unknown key 'odd'"],
    ]


def test_import_that_was_cut_off_goes_on(project: DvcProject) -> None:
    project.run("import", "dvc")
    truth = {path.name: path.read_bytes() for path in (project.root / "mintage.lock").iterdir()}
    for name in truth:
        if name != "import%3Advc.json":  # it is written first
            (project.root / "mintage.lock" / name).unlink()
    (project.root / "mintage.yaml").unlink()
    project.run("import", "dvc")
    again = {path.name: path.read_bytes() for path in (project.root / "mintage.lock").iterdir()}
    assert {name for name in truth if truth[name] != again[name]} <= {"prepare.json"}  # its record has another time
    assert project.run("status", "--exit-code").code == 0


def test_second_import_finds_what_was_missing_and_leaves_the_rest(project: DvcProject, tmp_path: Path) -> None:
    gone = project.object_path(md5(b"x\n1\n2\n"))
    aside = tmp_path / "aside"
    shutil.move(gone, aside)
    first = project.run("import", "dvc", "--json").json
    assert first["missing_before"] == [
        f"data/raw.csv at {project.git('rev-parse', 'v1')[:12]} ({md5(aside.read_bytes())}): missing"
    ]
    project.write("mintage.yaml", project.read("mintage.yaml") + "# mine\n")
    locks = {path.name: path.read_bytes() for path in (project.root / "mintage.lock").iterdir()}
    shutil.move(aside, gone)
    assert project.run("import", "dvc", "--json").json["missing_before"] == []
    assert project.read("mintage.yaml").endswith("# mine\n")
    after = {path.name: path.read_bytes() for path in (project.root / "mintage.lock").iterdir()}
    assert [name for name in after if after[name] != locks[name]] == ["import%3Advc.json"]


def test_project_in_a_folder_of_the_repository_is_imported_there(tmp_path: Path) -> None:
    outer = DvcProject(tmp_path / "outer", tmp_path / "home")
    outer.home.mkdir()
    outer.root.mkdir()
    outer.git("init", "-q")
    inner = DvcProject(outer.root / "inner", outer.home)
    three_revisions(inner)
    deeper = DvcProject(inner.root / "deeper", outer.home)
    deeper.begin()
    deeper.dvc_add("own.txt", b"own")
    inner.commit("deeper")
    (inner.root / "data/raw.csv").parent.mkdir(exist_ok=True)
    assert inner.run("import", "dvc", cwd=inner.root / "data").code == 0
    assert (inner.root / "mintage.yaml").is_file()
    assert inner.run("status", "--exit-code").code == 0
    assert sorted(lock.name for lock in (inner.root / "mintage.lock").iterdir()) == [
        "data%2Fraw.csv.json",
        "images.json",
        "import%3Advc.json",
        "prepare.json",
    ]
    assert inner.run("checkout", "--rev", "v1", "images", "--json").json == ["images"]


def test_stages_with_a_shell_another_folder_and_several_steps_run(empty: DvcProject) -> None:
    empty.write("sub/tool.py", "import helper\nhelper.write()\n")
    empty.write("sub/helper.py", "def write():\n    open('made.txt', 'w').write(open('in.txt').read())\n")
    empty.write("sub/in.txt", "hello\n")
    empty.pipeline(
        {
            "stages": {
                "inner": {"cmd": "python tool.py", "wdir": "sub", "deps": ["tool.py", "in.txt"], "outs": ["made.txt"]},
                "shell": {
                    "cmd": ["tr a-z A-Z < sub/made.txt > up.txt; true", "wc -l < up.txt > lines.txt"],
                    "deps": ["sub/made.txt"],
                    "outs": ["up.txt", "lines.txt"],
                },
            }
        }
    )
    empty.commit("shell")
    empty.run("import", "dvc")
    assert empty.run("run", "--json").json["actions"] == {"inner": "run", "shell": "run"}
    assert empty.read("up.txt") == "HELLO\n"
    assert empty.read("lines.txt").strip() == "1"
    assert empty.run("status", "--exit-code").code == 0


def test_shell_of_a_stage_finds_the_interpreter_of_mintage(empty: DvcProject) -> None:
    empty.pipeline(
        {"stages": {"which": {"cmd": "python -c 'import sys; print(sys.executable)' > it.txt", "outs": ["it.txt"]}}}
    )
    empty.commit("which")
    said = empty.run("import", "dvc").err
    assert "git add mintage.yaml mintage.lock && git commit\n" in said  # there is no .gitignore to add
    empty.run("run", PATH="/usr/bin:/bin")
    assert Path(empty.read("it.txt").strip()).parent == Path(sys.executable).parent
