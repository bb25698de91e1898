"""Stages in environments that are built from locks: when they are built, what they hold, what is noticed."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shell_project import ShellProject

import mintage.pipeline.locked.install as installing
from mintage.errors import EnvironmentUnbuiltError, LockInvalidError, StageFailedError
from mintage.pipeline.events import Event
from mintage.pipeline.facts import Inspector
from mintage.pipeline.locked.built import find_built, list_built
from mintage.pipeline.reproduce.reproduce import How, reproduce
from mintage.pipeline.reproduce.sources import Sources
from mintage.pipeline.run import run_pipeline
from mintage.pipeline.status import stage_states
from mintage.store.statcache import StatCache
from programs import program
from wheels import requirements, uv, write_index, write_wheel

STAGE = "  a: {run: python a.py, out: [a.txt]}\n"
SAYS = "import sys, tiny\nopen('a.txt', 'w').write(f'{tiny.VERSION} {sys.prefix}')\n"
NEEDS_UV = pytest.mark.skipif(program("uv") is None, reason="needs uv: pip install uv")
NEEDS_PIP = pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="needs pip: python -m ensurepip")
pytestmark = pytest.mark.skipif(
    not (program("uv") or importlib.util.find_spec("pip")), reason="needs uv or pip: pip install uv"
)


class Locked(ShellProject):
    """A project whose packages are wheels in a folder beside it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.wheels = root.parent / "wheels"
        self.hashes = {f"tiny=={v}": write_wheel(self.wheels, "tiny", v) for v in ("1.0", "2.0")}
        self.told: list[str] = []

    def lock(self, *pins: str, more: str = "", name: str = "r.txt") -> None:
        text = requirements(self.wheels, {pin: self.hashes[pin] for pin in pins}, more=more)
        (self.workspace.root / name).write_text(text)

    def go(self) -> dict[str, str]:
        """Run it; returns what was done of each stage, and keeps what was told."""

        def hear(event: Event) -> None:
            self.told += [event.detail] if event.what == "tell" else []

        self.told = []
        given: dict[str, Any] = {"clock": lambda: "2026-01-01T00:00:00Z", "actor": lambda: "tester", "on_event": hear}
        return run_pipeline(self.workspace, runs=lambda: self.runs, **given).actions

    def why(self, stage: str = "a") -> tuple[str, ...]:
        with StatCache(self.workspace.cache_database) as cache:
            return next(state.reasons for state in stage_states(self.workspace, cache, []) if state.name == stage)

    def homes(self) -> list[Path]:
        return sorted(path for path in self.workspace.pythons_dir.glob("*") if path.is_dir())


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Locked]:
    made = Locked(tmp_path / "a project")
    made.write(STAGE, {"a.py": SAYS}, more="python: {lock: r.txt}\n")
    made.lock("tiny==1.0")
    yield made
    made.connection.close()


def test_the_first_stage_that_must_run_builds_it_and_later_ones_use_it(project: Locked) -> None:
    assert project.go() == {"a": "run"}
    (home,) = project.homes()
    assert project.read("a.txt") == f"1.0 {home}"
    assert project.told[0] == "building the environment of r.txt"
    project.write(STAGE, {"a.py": f"# once more\n{SAYS}"}, more="python: {lock: r.txt}\n")
    assert (project.go(), project.told) == ({"a": "run"}, [])
    assert project.homes() == [home]


def test_what_is_recorded_is_what_was_installed_and_the_key_is_that_of_the_lock(project: Locked) -> None:
    project.go()
    entry = project.ran("a")
    frozen = json.loads(project.store.get_bytes(entry["environment"]))
    assert [(each["name"], each["version"]) for each in frozen["packages"]] == [("tiny", "1.0")]
    assert frozen["packages"][0]["record"].startswith("sha256:")
    (built,) = list_built(project.workspace)
    assert entry["parts"]["environment"] == built.key


def test_a_run_with_nothing_to_do_builds_nothing(project: Locked) -> None:
    project.go()
    shutil.rmtree(project.workspace.pythons_dir)
    assert (project.go(), project.why()) == ({"a": "keep"}, ())
    assert not project.workspace.pythons_dir.exists()


def test_another_version_is_another_environment_and_is_named(project: Locked) -> None:
    project.go()
    project.lock("tiny==2.0")
    assert project.why() == ("environment: tiny 1.0 -> 2.0",)
    assert project.go() == {"a": "run"}
    assert project.read("a.txt").startswith("2.0 ")
    assert len(project.homes()) == 2
    project.lock("tiny==1.0")
    assert (project.go(), project.told) == ({"a": "restore"}, [])


def test_a_lock_that_changed_only_for_another_platform_reruns_nothing(project: Locked) -> None:
    project.go()
    project.lock("tiny==1.0", more=f"win ==1 ; sys_platform == 'win32' --hash=sha256:{'0' * 64}\n# a remark\n")
    assert project.go() == {"a": "keep"}


def test_other_hashes_of_the_same_version_are_another_environment(project: Locked) -> None:
    project.go()
    project.hashes["tiny==1.0"] = write_wheel(project.wheels, "tiny", "1.0", code="VERSION = '1.0'  # rebuilt\n")
    project.lock("tiny==1.0")
    assert project.why() == ("environment: the same versions, from other files",)
    assert project.go() == {"a": "run"}


def test_one_that_was_changed_by_hand_is_built_anew(project: Locked) -> None:
    project.go()
    (module,) = project.homes()[0].rglob("tiny.py")
    module.write_text("VERSION = 'mine'\n")
    assert project.go() == {"a": "keep"}
    project.write(STAGE, {"a.py": f"# once more\n{SAYS}"}, more="python: {lock: r.txt}\n")
    assert project.go() == {"a": "run"}
    told, _ = project.told
    assert "changed by hand" in told and "tiny.py" in told
    assert project.read("a.txt").startswith("1.0 ")


def test_byte_code_is_no_change(project: Locked) -> None:
    project.go()
    cache = next(project.homes()[0].rglob("site-packages")) / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "more.pyc").write_bytes(b"x")
    project.write(STAGE, {"a.py": f"# once more\n{SAYS}"}, more="python: {lock: r.txt}\n")
    assert (project.go(), project.told) == ({"a": "run"}, [])


def test_what_an_interrupted_build_left_is_built_anew(project: Locked) -> None:
    with StatCache(project.workspace.cache_database) as cache:
        home = Path(Inspector(project.workspace, cache).environment("a").python).parent.parent
    (home / "bin").mkdir(parents=True)
    (home / "bin/python").write_text("half")
    assert project.go() == {"a": "run"}
    assert project.read("a.txt") == f"1.0 {home}"


def test_a_build_that_fails_leaves_nothing_and_the_next_one_works(project: Locked) -> None:
    good = project.hashes["tiny==1.0"]
    project.hashes["tiny==1.0"] = "0" * 64
    project.lock("tiny==1.0")
    with pytest.raises(EnvironmentUnbuiltError, match="not the one that was locked") as caught:
        project.go()
    assert caught.value.where == "r.txt"
    assert project.homes() == []
    project.hashes["tiny==1.0"] = good
    project.lock("tiny==1.0")
    assert project.go() == {"a": "run"}


def test_a_clone_in_another_place_builds_its_own(project: Locked, tmp_path: Path) -> None:
    project.go()
    shutil.copytree(project.workspace.root, tmp_path / "moved", symlinks=True)
    with StatCache(project.workspace.cache_database) as cache:
        key = Inspector(project.workspace, cache).environment("a").key
    moved = type(project.workspace)(tmp_path / "moved")
    assert find_built(project.workspace, key) is not None
    assert find_built(moved, key) is None


def test_stages_have_environments_of_their_own(project: Locked) -> None:
    stages = (
        "  a: {run: python a.py, out: [a.txt]}\n  b: {run: python b.py, out: [b.txt], python: {lock: b.txt.lock.txt}}\n"
    )
    project.write(stages, {"b.py": SAYS.replace("a.txt", "b.txt")}, more="python: {lock: r.txt}\n")
    project.lock("tiny==2.0", name="b.txt.lock.txt")
    project.go()
    assert (project.read("a.txt")[:3], project.read("b.txt")[:3]) == ("1.0", "2.0")
    project.lock("tiny==2.0")
    assert (project.why("a") != (), project.why("b")) == (True, ())


def test_a_module_that_the_lock_lacks_is_said_to_be_added_there(project: Locked) -> None:
    project.write(STAGE, {"a.py": "import absent_thing\n"}, more="python: {lock: r.txt}\n")
    with pytest.raises(StageFailedError) as caught:
        project.go()
    assert "r.txt pins: add what brings absent_thing" in str(caught.value.hint)


def test_a_lock_that_is_not_there_is_named_with_how_to_make_it(project: Locked) -> None:
    (project.workspace.root / "r.txt").unlink()
    with pytest.raises(LockInvalidError, match=r"the lock r\.txt is not there") as caught:
        project.go()
    assert "generate-hashes" in str(caught.value.hint)


def test_a_python_that_is_not_here_is_said(project: Locked) -> None:
    project.write(STAGE, more="python: {lock: r.txt, version: '3.99'}\n")
    with pytest.raises(EnvironmentUnbuiltError, match=r"3\.99"):
        project.go()


def test_a_package_without_a_wheel_for_this_machine_is_said(project: Locked) -> None:
    digest = write_wheel(project.wheels, "other", "1.0", tag="cp311-cp311-win_amd64")
    project.hashes["other==1.0"] = digest
    project.lock("tiny==1.0", "other==1.0")
    with pytest.raises(EnvironmentUnbuiltError, match=r"no wheel for this machine|not where it was locked") as caught:
        project.go()
    assert "other" in str(caught.value.found)


def test_files_that_are_not_those_of_their_package_are_refused(project: Locked) -> None:
    project.hashes["tiny==1.0"] = write_wheel(project.wheels, "tiny", "1.0", recorded="another\n")
    project.lock("tiny==1.0")
    with pytest.raises(EnvironmentUnbuiltError, match="not those of their packages") as caught:
        project.go()
    assert "tiny.py" in str(caught.value.found)


def test_a_lock_that_lacks_what_its_packages_need_is_not_completed(project: Locked) -> None:
    project.hashes["needs==1.0"] = write_wheel(project.wheels, "needs", "1.0", requires=("tiny",))
    project.lock("needs==1.0")
    with pytest.raises((EnvironmentUnbuiltError, StageFailedError)):
        project.go()
    assert all(not list(home.rglob("tiny.py")) for home in project.homes())


@NEEDS_PIP
def test_pip_alone_builds_from_a_requirements_file(project: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "find_uv", lambda: None)
    project.go()
    (built,) = list_built(project.workspace)
    assert (built.built_by, project.read("a.txt")[:3]) == ("pip", "1.0")


def test_without_uv_a_uv_lock_is_refused_with_what_to_install(project: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "find_uv", lambda: None)
    project.write(STAGE, {"pylock.toml": 'lock-version = "1.0"\n'}, more="python: {lock: pylock.toml}\n")
    with pytest.raises(EnvironmentUnbuiltError) as caught:
        project.go()
    assert (caught.value.found, caught.value.hint) == ("no uv", "`pip install uv`")


PYPROJECT = """\
[project]
name = "mine"
version = "0"
requires-python = ">=3.11"
dependencies = ["tiny==1.0"]
[project.optional-dependencies]
plots = ["pen==1.0"]
[dependency-groups]
dev = ["check==1.0"]
[[tool.uv.index]]
name = "here"
url = "{index}"
default = true
"""
ALL = (
    "import importlib.util as u\nfound = [n for n in ('tiny', 'pen', 'check') if u.find_spec(n)]\n"
    "open('a.txt', 'w').write(' '.join(found))\n"
)


@NEEDS_UV
@pytest.mark.parametrize("lock", ["uv.lock", "part/uv.lock", "pylock.toml"])
def test_of_a_lock_by_uv_the_project_the_chosen_extras_and_groups_are_installed(project: Locked, lock: str) -> None:
    for name in ("pen", "check"):
        write_wheel(project.wheels, name, "1.0")
    index = write_index(project.wheels, project.wheels.parent / "simple")
    folder = project.workspace.root / Path(lock).parent
    folder.mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(PYPROJECT.format(index=index))
    (folder / ".python-version").write_text("3.99\n")  # what the project's own commands use is not meant
    uv(folder, "lock", "--python", sys.executable)
    if lock == "pylock.toml":
        words = ("--extra", "plots", "--no-default-groups", "--no-emit-project", "--python", sys.executable)
        uv(folder, "export", "--frozen", "--format", "pylock.toml", *words, "-o", lock)
        project.write(STAGE, {"a.py": ALL}, more=f"python: {{lock: {lock}}}\n")
        project.go()
        assert project.read("a.txt") == "tiny pen"
        return
    choices = [(", extras: [plots]", "tiny pen"), ("", "tiny"), (", groups: [dev]", "tiny check")]
    for chosen, found in choices if lock == "uv.lock" else choices[:1]:
        project.write(STAGE, {"a.py": ALL}, more=f"python: {{lock: {lock}{chosen}}}\n")
        project.go()
        assert project.read("a.txt") == found


@NEEDS_UV
def test_a_wheel_that_is_not_the_one_of_the_uv_lock_is_refused(project: Locked) -> None:
    index = write_index(project.wheels, project.wheels.parent / "simple")
    root, plain = project.workspace.root, PYPROJECT.partition("[project.opt")[0]
    tail = PYPROJECT[PYPROJECT.index("[[tool.uv") :]
    (root / "pyproject.toml").write_text((plain + tail).format(index=index))
    uv(root, "lock", "--python", sys.executable)
    written = (root / "uv.lock").read_text()
    assert written.count(project.hashes["tiny==1.0"]) == 1
    (root / "uv.lock").write_text(written.replace(project.hashes["tiny==1.0"], "0" * 64))
    project.write(STAGE, more="python: {lock: uv.lock}\n")
    with pytest.raises(EnvironmentUnbuiltError, match="not the one that was locked"):
        project.go()


def test_a_commit_that_names_its_lock_is_rebuilt_in_a_new_environment(project: Locked) -> None:
    stage = "  a: {run: python a.py, out: [a.txt]}\n"
    script = "import tiny\nopen('a.txt', 'w').write(tiny.VERSION)\n"
    project.write(stage, {"a.py": script, ".gitignore": "a.txt\n"}, more="python: {lock: r.txt}\n")
    project.commit("code")
    project.go()
    commit = project.commit("locks")
    shutil.rmtree(project.workspace.pythons_dir)
    how = How(
        commit=commit,
        target="HEAD",
        model=None,
        sources=Sources([project.store]),
        independent=True,
        network=False,
        tolerance=0.0,
        clock=lambda: "2026-01-01T00:00:00Z",
        actor="tester",
    )
    found = reproduce(project.workspace, how)
    assert found.level == "identical"
    (use,) = found.environments
    assert (use["name"], use["builtFrom"], use["likeness"], use["differs"]) == ("r.txt", "r.txt", "same", [])
    assert project.homes() == []


def test_two_that_want_the_same_one_build_it_once(project: Locked) -> None:
    words = "import sys; from mintage.cli.main import main; sys.exit(main(['python', 'build', '--json']))"
    given: dict[str, Any] = {"cwd": project.workspace.root, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen([sys.executable, "-c", words], **given) for _ in range(2)]
    said = [process.communicate() for process in processes]
    assert len({json.loads(out)["environments"][0]["python"] for out, _ in said}) == 1
    assert sum(words.count(b"building the environment") for _, words in said) == 1
    assert len(project.homes()) == 1
