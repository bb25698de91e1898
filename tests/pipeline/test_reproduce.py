"""Rebuild a commit in an empty place: what comes out, what is touched, what keeps it from being rebuilt."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from shell_project import ShellProject

from mintage.attest.keys import FileSigner
from mintage.attest.seal import open_sealed, seal
from mintage.errors import BlobMissingError, EnvironmentUnbuiltError, NothingRecordedError, StageFailedError
from mintage.pipeline.offline import way
from mintage.pipeline.reproduce.reproduce import How, reproduce
from mintage.pipeline.reproduce.sources import Sources
from mintage.pipeline.reproduce.statement import PREDICATE_TYPE, reproduction_statement
from mintage.pipeline.reproduce.verdict import Reproduction
from mintage.repo.workspace import Workspace
from programs import program

STAGES = """\
  make: {run: python make.py, in: [data/rows.txt], out: [work/sum.json]}
  after: {sh: "cp work/sum.json work/copy.json", in: [work/sum.json], out: [work/copy.json]}
"""
SUM = "import json\nrows = open('data/rows.txt').read().split()\n"
GOOD = SUM + "json.dump({'sum': sum(map(int, rows))}, open('work/sum.json', 'w'))\n"
SPACED = (
    SUM + "import os\nopen('work/sum.json', 'w').write('{\"sum\": 6}' + ' ' * (1 + int.from_bytes(os.urandom(2))))\n"
)
NEAR = SUM + "import os\njson.dump({'sum': 6 + int.from_bytes(os.urandom(6)) * 1e-23}, open('work/sum.json', 'w'))\n"
RANDOM = SUM + "import os\njson.dump({'sum': int.from_bytes(os.urandom(6))}, open('work/sum.json', 'w'))\n"


class Rebuilt(ShellProject):
    """A project that was run and committed, with its data in the store and not in Git."""

    def record(self, script: str, *, stages: str = STAGES, more: str = "") -> str:
        files = {"make.py": script, "data/rows.txt": "1 2 3\n", ".gitignore": "data/\nwork/\n.venv/\n"}
        self.write(stages, files, more=more)
        self.commit("code")
        self.run()
        return self.commit("locks")

    def again(self, revision: str = "HEAD", **changes) -> Reproduction:
        given = {"independent": False, "network": False, "tolerance": 1e-9, "model": None} | changes
        how = How(
            commit=self.workspace.git.resolve(revision),
            target=revision,
            sources=Sources([self.store]),
            clock=lambda: "2026-01-01T00:00:00Z",
            actor="tester",
            **given,
        )
        return reproduce(self.workspace, how)

    def everything(self) -> dict[str, str]:
        """Each file of the clone by digest, but for caches, locks of running commands and Git's stat cache."""
        skip = ("cache.db", "mintage.db", ".lock", ".git/index")
        return {
            str(path.relative_to(self.workspace.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.workspace.root.rglob("*"))
            if path.is_file() and not any(part in str(path) for part in skip)
        }


@pytest.fixture
def project(tmp_path):
    made = Rebuilt(tmp_path / "a project")
    yield made
    made.connection.close()


def levels(found: Reproduction) -> dict[str, str]:
    return {stage.name: stage.level for stage in found.stages}


def test_a_repeatable_pipeline_comes_out_bit_for_bit_and_nothing_of_the_clone_is_touched(project) -> None:
    project.record(GOOD)
    before = project.everything()
    found = project.again()
    assert levels(found) == {"make": "identical", "after": "identical"}
    assert (found.level, found.first_divergent, found.models) == ("identical", None, {})
    assert [use["likeness"] for use in found.environments] == ["same"]
    assert project.everything() == before


@pytest.mark.parametrize(("script", "level"), [(SPACED, "canonical"), (NEAR, "tolerance"), (RANDOM, "different")])
def test_what_comes_out_otherwise_is_told_with_its_level_and_its_first_stage(project, script, level) -> None:
    project.record(script)
    found = project.again()
    assert found.level == level
    assert found.first_divergent is not None
    assert found.first_divergent.name == "make"
    assert found.first_divergent.changed == ()
    assert any("work/sum.json" in line for line in found.stages[1].changed)


def test_the_commit_is_rebuilt_and_not_the_work_tree(project) -> None:
    commit = project.record(GOOD)
    project.write(STAGES, {"make.py": RANDOM, "data/rows.txt": "9\n"})
    project.commit("another script")
    (project.workspace.root / "work/sum.json").unlink()
    project.write(STAGES, {"make.py": "raise SystemExit(1)\n"})
    assert project.again(commit).level == "identical"


def test_code_that_changed_after_the_lock_is_named(project) -> None:
    project.record(GOOD)
    project.write(STAGES, {"make.py": GOOD + "# another line\n"})
    project.commit("the script without a run")
    (make, _) = project.again().stages
    assert make.level == "identical"
    assert any("make.py" in line for line in make.changed)


def test_an_input_that_git_holds_is_that_of_the_commit_and_its_change_is_named(project) -> None:
    project.record(GOOD)
    project.git("add", "-f", "data/rows.txt")
    project.write(STAGES, {"data/rows.txt": "1 2 4\n"})
    project.commit("other rows, without a run")
    (make, _) = project.again().stages
    assert make.level == "different"
    assert any("data/rows.txt" in line for line in make.changed)


def test_inputs_that_are_in_no_store_end_it_by_name(project) -> None:
    project.record(GOOD)
    shutil.rmtree(project.workspace.store_dir)
    with pytest.raises(BlobMissingError) as caught:
        project.again()
    assert "data/rows.txt" in str(caught.value.expected)
    assert not (project.workspace.state / "reproduce").exists()


def test_recorded_outputs_that_are_in_no_store_are_compared_by_digest(project) -> None:
    project.record(GOOD)
    root = project.workspace.root
    lock = json.loads((root / "mintage.lock/make.json").read_text())
    digest = lock["outputs"][0]["digest"].removeprefix("b3:")
    (project.workspace.store_dir / "b3" / digest[:2] / digest[2:]).unlink()
    assert project.again().level == "identical"


def test_a_revision_without_locks_is_refused(project) -> None:
    project.record(GOOD)
    with pytest.raises(NothingRecordedError):
        project.again("HEAD~1")


def test_a_stage_that_fails_now_ends_it_and_leaves_nothing(project, tmp_path) -> None:
    flag = tmp_path / "there"
    flag.touch()
    project.record(f"import os\nassert os.path.exists({str(flag)!r})\n" + GOOD)
    flag.unlink()
    with pytest.raises(StageFailedError):
        project.again()
    assert not (project.workspace.state / "reproduce").exists()


@pytest.mark.skipif(way() != "namespace", reason="needs Linux with user namespaces")
def test_the_network_is_closed_unless_it_is_asked_to_be_open(project) -> None:
    connects = (
        "import json, socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "json.dump(socket.create_connection(server.getsockname(), 2).fileno() > 0, open('work/sum.json', 'w'))\n"
    )
    project.record(connects)
    with pytest.raises(StageFailedError):
        project.again()
    assert (project.again(network=True).level, project.again(network=True).network) == ("identical", "open")


def test_an_independent_one_needs_a_lock_of_the_environment(project) -> None:
    project.record(GOOD)
    with pytest.raises(EnvironmentUnbuiltError):
        project.again(independent=True)


def wheel(folder: Path) -> str:
    """The SHA-256 of a wheel of one module that is now in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_thing.py", "VALUE = 6\n")
        archive.writestr("tiny_thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("tiny_thing-1.0.dist-info/WHEEL", tags)
        archive.writestr("tiny_thing-1.0.dist-info/RECORD", "tiny_thing.py,,\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.skipif(not (importlib.util.find_spec("pip") or program("uv")), reason="needs pip or uv: pip install uv")
def test_an_independent_one_runs_in_an_environment_built_from_hashes(project, tmp_path) -> None:
    digest = wheel(tmp_path / "wheels")
    lock = f"--no-index\n--find-links {tmp_path / 'wheels'}\ntiny-thing==1.0 \\\n    --hash=sha256:{digest}\n"
    (project.workspace.root / "requirements.txt").write_text(lock)
    reads = "try:\n    from tiny_thing import VALUE\nexcept ImportError:\n    VALUE = 6\nimport json, sys\n"
    tells = "json.dump({'sum': VALUE}, open('work/sum.json', 'w'))\nprint(sys.prefix)\n"
    project.record(reads + tells)
    found = project.again(independent=True)
    assert found.level == "identical"
    (use,) = found.environments
    assert (use["builtFrom"], use["likeness"]) == ("requirements.txt", "another")
    assert "tiny-thing absent -> 1.0" in use["differs"]
    (project.workspace.root / "requirements.txt").write_text(lock.replace(digest, "0" * 64))
    project.commit("a hash that the wheel has not")
    with pytest.raises(EnvironmentUnbuiltError):
        project.again(independent=True)


@pytest.mark.skipif(program("uv") is None, reason="needs uv: pip install uv")
@pytest.mark.parametrize("lock", ["uv.lock", "pylock.toml"])
def test_an_independent_one_runs_in_an_environment_built_by_uv(project, tmp_path, lock) -> None:
    wheel(tmp_path / "wheels")
    settings = f'[tool.uv]\nno-index = true\nfind-links = ["{tmp_path / "wheels"}"]\n'
    about = '[project]\nname = "p"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["tiny-thing==1.0"]\n'
    (project.workspace.root / "pyproject.toml").write_text(about + settings)
    words = ["lock"] if lock == "uv.lock" else ["export", "--format", "pylock.toml", "--no-emit-project", "-o", lock]
    subprocess.run([str(program("uv")), "-q", *words], cwd=project.workspace.root, check=True)
    if lock != "uv.lock":
        (project.workspace.root / "uv.lock").unlink()
    project.record(GOOD)
    found = project.again(independent=True)
    assert found.level == "identical"
    (use,) = found.environments
    assert use["builtFrom"] == lock
    assert "tiny-thing absent -> 1.0" in use["differs"]


def test_the_statement_names_commit_levels_and_the_first_divergent_stage(project, tmp_path) -> None:
    project.record(RANDOM)
    found = project.again()
    statement = reproduction_statement(found, project="p", by="ann@example.org", at="2026-01-01T00:00:00Z", version="1")
    signer = FileSigner.create(tmp_path / "key.pem", name="ann")
    opened = open_sealed(seal(statement, signer), [signer.public]).statement
    assert opened.predicate_type == PREDICATE_TYPE
    assert opened.subjects[0].digest == {"gitCommit": found.commit}
    assert (opened.predicate["level"], opened.predicate["firstDivergent"]) == ("different", "make")
    assert opened.predicate["stages"][0]["outputs"][0]["path"] == "work/sum.json"
    assert str(tmp_path) not in json.dumps(opened.predicate)


def test_a_project_in_a_folder_of_its_repository_is_rebuilt_there(tmp_path) -> None:
    outer = tmp_path / "outer"
    made = Rebuilt(outer / "inner")
    shutil.move(made.workspace.root / ".git", outer / ".git")
    try:
        made.record(GOOD)
        assert made.again().level == "identical"
    finally:
        made.connection.close()


def test_a_linked_work_tree_and_a_repository_of_sha256_are_rebuilt_too(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    made = Rebuilt(tmp_path / "main")
    try:
        commit = made.record(GOOD)
        made.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), commit)
        assert len(commit) == 64
        made.workspace = Workspace(tmp_path / "linked", state=made.workspace.state)
        assert made.again().level == "identical"
    finally:
        made.connection.close()


def test_the_interpreter_that_a_project_names_is_found_from_the_empty_place(project) -> None:
    home = project.workspace.root / ".venv/bin"
    home.mkdir(parents=True)
    (home.parent / "pyvenv.cfg").write_text(f"home = {Path(sys._base_executable).parent}\n")
    (home / "python").symlink_to(sys._base_executable)
    project.record(GOOD, more="python: .venv/bin/python\n")
    found = project.again()
    assert found.level == "identical"
    assert [(use["name"], use["likeness"]) for use in found.environments] == [(".venv/bin/python", "same")]
