"""Stages, data and models of another repository: two real repositories, real runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mintage.cli.main import main
from mintage.errors import FileMalformedError, UseError
from mintage.lineage.chain import walk
from mintage.lineage.run_links import run_link
from mintage.repo.foreign import Foreign
from mintage.repo.git import Git
from mintage.repo.locks import Item, Lock, read_lock, write_lock
from mintage.repo.project import parse_project
from mintage.repo.use import Use, check_use
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

LIBRARY = """project: lib
remote: ../lib-remote
params: {window: 2, deep: {k: 1}}
stages:
  codes:
    run: python codes.py
    in: [seed.txt]
    out: [codes.txt]
  build:
    run: python build.py
    in: [data/raw.csv, codes.txt]
    out: [out/features.txt]
    metrics: [m.json]
    params: [window]
"""
FILES = {
    "codes.py": 'open("codes.txt", "w").write(open("seed.txt").read().upper())\n',
    "helper.py": "def shout(text):\n    return text.upper()\n",
    "build.py": """import json, os
import helper
window = json.load(open(os.environ["MINTAGE_PARAMS"]))["window"]
os.makedirs("out", exist_ok=True)
text = helper.shout(open("data/raw.csv").read()) + open("codes.txt").read() + str(window)
open("out/features.txt", "w").write(text)
json.dump({"rows": 3}, open("m.json", "w"))
""",
    "seed.txt": "seed\n",
    "data/raw.csv": "raw\n",
    "tables/codes.csv": "in git\n",
}
MINE = """project: mine
stages:
  features:
    use:
      repo: ../lib
      rev: v1
      stage: build
      in: {data/raw.csv: mine.csv}
      out: {out/features.txt: features/all.txt}
      params: {window: 9}
"""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "T")
    git(folder, "config", "user.email", "t@example.org")
    return commit(folder, files)


def commit(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return folder


def mintage(folder: Path, *words: str) -> int:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return main(list(words))
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def _library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("uses")
    library = repository(base / "lib", {"mintage.yaml": LIBRARY, **FILES})
    (library / "added.csv").write_text("added\n")
    assert mintage(library, "add", "added.csv") == 0
    assert mintage(library, "run", "codes") == 0
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "made")
    assert mintage(library, "push") == 0
    git(library, "tag", "v1")
    return base


@pytest.fixture
def base(_library: Path, tmp_path: Path) -> Path:
    """A folder with ``lib``, its remote, and ``mine``, which uses it."""
    shutil.copytree(_library, tmp_path / "both", symlinks=True)
    repository(tmp_path / "both" / "mine", {"mintage.yaml": MINE, "mine.csv": "mine\n"})
    return tmp_path / "both"


def pin(mine: Path, name: str = "features") -> str:
    lock = read_lock(mine, name)
    assert lock is not None
    assert lock.use is not None
    return lock.use.commit


def actions(mine: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    capsys.readouterr()
    assert mintage(mine, "run", "--json", *words) == 0
    found: dict[str, str] = json.loads(capsys.readouterr().out)["actions"]
    return found


def test_a_stage_of_another_repository_runs_by_a_worker_too(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = commit(base / "mine", {"mintage.yaml": f"remote: ../remote\n{MINE}"})
    assert actions(mine, capsys, "--executor", "worker") == {"features": "run"}
    assert (mine / "features/all.txt").read_text() == "MINE\nSEED\n9"


def test_code_that_a_used_stage_finds_by_name_is_part_of_its_key(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, text = base / "mine", FILES["build.py"].replace("import helper", "helper = __import__('help' + 'er')")
    for rev, helper in (("v2", FILES["helper.py"]), ("v3", "def shout(text):\n    return text.lower()\n")):
        git(commit(base / "lib", {"build.py": text, "helper.py": helper}), "tag", rev)
        (mine / "mintage.yaml").write_text(MINE.replace("rev: v1", f"rev: {rev}"))
        assert actions(mine, capsys) == {"features": "run"}
        assert actions(mine, capsys) == {"features": "keep"}
        lock = read_lock(mine, "features")
        assert lock is not None
        assert lock.seen == ("helper.py",)
        assert all(link.ok for link in walk(run_link(Store(mine / ".mintage/store"), Git(mine), str(lock.run))))
    (mine / "mintage.yaml").write_text(MINE.replace("rev: v1", "rev: v2"))
    assert actions(mine, capsys) == {"features": "restore"}


def test_a_stage_of_another_repository_runs_with_its_code_and_our_data(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = base / "mine"
    assert actions(mine, capsys) == {"features": "run"}
    assert (mine / "features/all.txt").read_text() == "MINE\nSEED\n9"
    assert pin(mine) == git(base / "lib", "rev-parse", "v1")
    assert not (mine / "out").exists()
    assert not (mine / "codes.txt").exists()
    assert actions(mine, capsys) == {"features": "keep"}
    (mine / "mine.csv").write_text("other\n")
    assert actions(mine, capsys) == {"features": "run"}
    assert (mine / "features/all.txt").read_text().startswith("OTHER")


def test_a_stage_that_runs_in_a_container_is_not_used(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = f"    image: a/b@sha256:{'0' * 64}\n"
    written = LIBRARY.replace("    run: python build.py\n", f"    run: python build.py\n{image}")
    commit(base / "lib", {"mintage.yaml": written})
    git(base / "lib", "tag", "-f", "v1")
    assert mintage(base / "mine", "run") == 3
    assert "stage build of ../lib runs in a container" in capsys.readouterr().err


def test_a_revision_that_moves_changes_nothing_until_asked(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, library = base / "mine", base / "lib"
    actions(mine, capsys)
    first = pin(mine)
    commit(library, {"README": "another file\n"})
    git(library, "tag", "-f", "v1")
    assert actions(mine, capsys) == {"features": "keep"}
    assert pin(mine) == first
    assert actions(mine, capsys, "--update-uses") == {"features": "keep"}
    assert pin(mine) == git(library, "rev-parse", "v1") != first
    commit(library, {"helper.py": "def shout(text):\n    return text\n"})
    git(library, "tag", "-f", "v1")
    assert actions(mine, capsys, "--update-uses") == {"features": "run"}
    assert (mine / "features/all.txt").read_text().startswith("mine")


def test_a_clone_fetches_the_pinned_commit_whatever_the_revision_is_by_now(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, library = base / "mine", base / "lib"
    actions(mine, capsys)
    commit(mine, {})
    commit(library, {"helper.py": "def shout(text):\n    return text\n"})
    git(library, "tag", "-f", "v1")
    git(base, "clone", "-q", "mine", "clone")
    assert mintage(base / "clone", "status") == 0
    assert "../lib at v1 is not fetched yet" in capsys.readouterr().out
    assert actions(base / "clone", capsys) == {"features": "run"}
    assert (base / "clone/features/all.txt").read_text() == "MINE\nSEED\n9"


def test_files_come_by_digest_from_git_and_from_the_remote(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(base / "lib/.mintage")  # as on another machine: only Git and the remote
    mine = base / "mine"
    written = """project: mine
stages:
  table: {use: {repo: ../lib, rev: main, path: tables/codes.csv, to: their/codes.csv}}
  folder: {use: {repo: ../lib, rev: main, path: tables, to: their/tables}}
  added: {use: {repo: ../lib, rev: main, path: added.csv}}
  made: {use: {repo: ../lib, rev: v1, path: codes.txt}}
"""
    (mine / "mintage.yaml").write_text(written)
    assert set(actions(mine, capsys).values()) == {"run"}
    found = [(mine / name).read_text() for name in ("their/codes.csv", "their/tables/codes.csv", "added.csv")]
    assert found == ["in git\n", "in git\n", "added\n"]
    assert (mine / "codes.txt").read_text() == "SEED\n"
    assert set(actions(mine, capsys).values()) == {"keep"}


def test_bytes_that_are_nowhere_are_named(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(base / "lib/.mintage")
    shutil.rmtree(base / "lib-remote")
    assert mintage(base / "mine", "run") == 4
    assert "codes.txt of ../lib is nowhere to be had" in capsys.readouterr().err


def test_code_that_was_changed_after_it_was_fetched_is_not_run(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = base / "mine"
    actions(mine, capsys)
    file = mine / ".mintage/uses" / pin(mine) / "helper.py"
    file.chmod(0o644)
    file.write_text("def shout(text):\n    return 'changed'\n")
    assert mintage(mine, "run") == 4
    assert "helper.py of ../lib is not what its commit has" in capsys.readouterr().err
    assert (mine / "features/all.txt").read_text() == "MINE\nSEED\n9"


def test_code_that_was_used_is_proven_without_the_other_repository(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = base / "mine"
    actions(mine, capsys)
    shutil.rmtree(base / "lib")
    shutil.rmtree(mine / ".mintage/uses")
    lock = read_lock(mine, "features")
    assert lock is not None
    assert lock.run is not None
    assert mintage(mine, "show", lock.run, "--json") == 0
    entry = json.loads(capsys.readouterr().out)["body"]["stages"]["features"]
    assert entry["use"]["commit"] == pin(mine)
    assert sorted(entry["use"]["code"]) == ["build.py", "helper.py"]
    assert entry["metrics"] == {"rows": 3.0}
    store = Store(mine / ".mintage/store")
    links = list(walk(run_link(store, Git(mine), lock.run)))
    assert [link.kind for link in links if not link.ok] == []
    assert any("2 code files match" in link.detail for link in links)
    store.path_of(entry["use"]["code"]["helper.py"]).unlink()
    assert [link.kind for link in walk(run_link(store, Git(mine), lock.run)) if not link.ok] == ["commit"]


def test_a_built_model_comes_as_its_folder(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library, mine = base / "lib", base / "mine"
    (library / "built").mkdir()
    (library / "built/model.onnx").write_text("graph")
    store = Store(library / ".mintage/store")
    tree = store.put_tree(library / "built")
    item = Item(path="model:churn", digest=tree, size=5, folder=True)
    write_lock(library, Lock(name="model:churn", what="model", outputs=(item,)))
    commit(library, {})
    (mine / "mintage.yaml").write_text(
        "project: mine\nstages:\n  churn: {use: {repo: ../lib, rev: main, model: churn, to: theirs}}\n"
    )
    assert actions(mine, capsys) == {"churn": "run"}
    assert (mine / "theirs/model.onnx").read_text() == "graph"
    assert actions(mine, capsys) == {"churn": "keep"}


def test_variables_are_not_given_to_foreign_code_unasked(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "abc")
    text = (base / "lib/mintage.yaml").read_text()
    commit(base / "lib", {"mintage.yaml": text + "    secrets: [API_TOKEN]\n"})
    git(base / "lib", "tag", "-f", "v1")
    assert mintage(base / "mine", "run") == 3
    assert "`secrets: [API_TOKEN]` beside `use`" in capsys.readouterr().err
    (base / "mine/mintage.yaml").write_text(MINE + "    secrets: [API_TOKEN]\n")
    assert mintage(base / "mine", "run") == 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("stage: build", "stage: biuld", "there is no stage biuld"),
        ("rev: v1", "rev: v9", "no revision 'v9'"),
        ("repo: ../lib", "repo: ../nothing", "cannot be fetched"),
        ("out/features.txt:", "out/feature.txt:", "writes no out/feature.txt"),
        ("{data/raw.csv:", "{data/row.csv:", "reads no data/row.csv"),
        ("{window: 9}", "{deep.x: 9}", "no parameter 'deep.x'"),
    ],
)
def test_what_is_not_there_is_named(
    base: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    (base / "mine/mintage.yaml").write_text(MINE.replace(old, new))
    assert mintage(base / "mine", "run") == 3
    assert says in capsys.readouterr().err


def test_links_of_another_repository_are_left_out_and_nothing_is_written_outside(base: Path) -> None:
    library = base / "lib"
    (library / "link").symlink_to("/etc")
    commit(library, {})
    use = Use(repo="../lib", rev="main", path="link")
    foreign = Foreign(Workspace(base / "mine"), use)
    foreign.fetch()
    files = foreign.write_files(foreign.resolve())
    assert (files / "build.py").is_file()
    assert not os.path.lexists(files / "link")


@pytest.mark.parametrize("path", [".git/config", "a/.GIT/hooks/x", "../../outside"])
def test_a_tree_with_paths_of_gits_own_or_outside_is_refused(base: Path, path: str) -> None:
    library = base / "lib"
    blob = git(library, "hash-object", "-w", "build.py")
    line = f"100644 blob {blob}\tx\n"
    tree = subprocess.run(["git", "mktree"], cwd=library, input=line, capture_output=True, text=True, check=True)
    for name in reversed(path.split("/")[:-1]):
        entry = f"40000 {name}\0".encode() + bytes.fromhex(tree.stdout.strip())
        words = ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"]
        made = subprocess.run(words, cwd=library, input=entry, capture_output=True, check=True)
        tree = subprocess.CompletedProcess(words, 0, stdout=made.stdout.decode())
    git(library, "branch", "hostile", git(library, "commit-tree", tree.stdout.strip(), "-m", "x"))
    foreign = Foreign(Workspace(base / "mine"), Use(repo="../lib", rev="hostile", path="x"))
    foreign.fetch()
    with pytest.raises(UseError, match="refused"):
        foreign.write_files(foreign.resolve())


@pytest.mark.parametrize(
    "repo",
    [
        "ext::sh -c date",
        "--upload-pack=date",
        "-x",
        "http://example.org/a",
        "git://example.org/a",
        "file:///srv/a",
        "https://user:word@example.org/a",
        "ssh://-oProxyCommand=date/a",
        "-oProxyCommand=date@host:a",
        "a@-host:b",
        "https://example.org/a\n",
        "",
    ],
)
def test_an_address_that_could_start_a_program_is_refused(repo: str) -> None:
    with pytest.raises(UseError):
        check_use(Use(repo=repo, rev="v1", path="a"))


@pytest.mark.parametrize(
    "repo", ["https://example.org/a.git", "ssh://git@example.org:22/a", "git@example.org:a/b", "~/a"]
)
def test_usual_addresses_are_taken(repo: str) -> None:
    check_use(Use(repo=repo, rev="v1.2", path="a"))


@pytest.mark.parametrize(
    "written",
    [
        "{use: {repo: ../a, rev: --help, path: x}}",
        "{use: {repo: ../a, rev: 'a..b', path: x}}",
        "{use: {repo: ../a, rev: v1}}",
        "{use: {repo: ../a, rev: v1, path: x, stage: y, out: {a: b}}}",
        "{use: {repo: ../a, rev: v1, stage: y}}",
        "{use: {repo: ../a, rev: v1, path: ../x}}",
        "{use: {repo: ../a, rev: v1, path: x, to: ../x}}",
        "{use: {repo: ../a, rev: v1, stage: y, out: {../a: b}}}",
        "{use: {repo: ../a, rev: v1, path: x}, run: python x.py}",
        "{use: {repo: ../a, rev: v1, path: x}, out: [y]}",
        "{use: {repo: ../a, rev: v1, path: x}, matrix: {a: [1]}}",
        "{use: {repo: ../a, path: x}}",
    ],
)
def test_a_use_that_cannot_be_is_refused_with_its_place(written: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        parse_project(f"project: a\nstages:\n  s: {written}\n".encode(), where="mintage.yaml")
    assert "mintage.yaml:3:" in str(caught.value.where)


def test_files_of_this_machine_are_read_by_a_used_stage_only_if_this_project_says_so(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, private = base / "mine", base / "private.csv"
    private.write_text("private\n")
    reading = LIBRARY.replace("    metrics: [m.json]\n", f"    metrics: [m.json]\n    reads: [{private}]\n")
    git(commit(base / "lib", {"mintage.yaml": reading}), "tag", "v2")
    (mine / "mintage.yaml").write_text(MINE.replace("rev: v1", "rev: v2"))
    assert mintage(mine, "run") == 3
    said = capsys.readouterr().err
    assert "asks for files of this machine that stage features does not give it" in said
    assert f"`reads: [{private}]` beside `use`" in said
    (mine / "mintage.yaml").write_text(f"{MINE.replace('rev: v1', 'rev: v2').rstrip()}\n    reads: [{private}]\n")
    assert actions(mine, capsys) == {"features": "run"}
