"""What is open to a sandboxed stage, by where things lie on a machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mintage.pipeline.environment import Environment
from mintage.pipeline.sandbox import Scratch
from mintage.pipeline.walls.opened import opened, redirected


@dataclass
class Machine:
    """A home folder with a project in it, and what is asked of it."""

    home: Path
    root: Path
    folders: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    @property
    def environment(self) -> Environment:
        return Environment(
            python="/usr/bin/env", named=None, frozen={}, folders=self.folders, prefixes=self.prefixes, modules=()
        )

    def can_read(self, path: Path, *, root: Path | None = None, **variables: str) -> bool:
        root = root or self.root
        scratch = Scratch(root / ".mintage/tmp")
        found = opened(
            scratch,
            root=root,
            state=self.root / ".mintage",
            environment=self.environment,
            variables={"PATH": "/usr/bin", **variables},
            command=["sh"],
            links=(),
            reads=(),
            log=scratch.base / "log",
        )
        real = path.resolve()
        return any(real == Path(folder) or real.is_relative_to(Path(folder).resolve()) for folder in found.all)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    made = Machine(home, home / "work/churn")
    make(made.root / "src/own.py")
    return made


def make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def test_the_home_folder_and_the_project_are_closed_and_the_system_is_open(machine) -> None:
    assert machine.can_read(Path("/usr/share"))
    for path in ("secrets.txt", "work/other/data.csv", "work/churn/src/own.py", "work/churn/mintage.yaml"):
        assert not machine.can_read(make(machine.home / path))


@pytest.mark.parametrize("folder", ["home", "root", "src", "above"])
def test_an_import_path_that_holds_too_much_opens_none_of_it(machine, folder: str) -> None:
    """``python -m mintage`` has the current folder on it, an editable install the project's src."""
    places = {"home": machine.home, "root": machine.root, "src": machine.root / "src", "above": machine.root.parent}
    machine.folders = (str(places[folder]),)
    assert not machine.can_read(machine.root / "src/own.py")
    assert not machine.can_read(make(machine.home / "secrets.txt"), LD_LIBRARY_PATH=str(places[folder]))
    assert not machine.can_read(machine.root / "src/own.py", VIRTUAL_ENV=str(places[folder]), PATH=str(places[folder]))


@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
@pytest.mark.parametrize("place", ["work/churn/.venv", "work/churn/.mintage/environments/abc", "envs/ds"])
def test_an_environment_is_open_also_in_the_project(machine, place: str, mark: str) -> None:
    prefix = machine.home / place
    make(prefix / mark)
    package = make(prefix / "lib/python3.12/site-packages/pandas/x.py")
    program = make(prefix / "bin/tool")
    machine.folders, machine.prefixes = (str(package.parents[1]), str(package.parents[2])), (str(prefix),)
    assert machine.can_read(package)
    assert machine.can_read(program, PATH=str(prefix / "bin"))
    assert not machine.can_read(machine.root / "src/own.py")


def test_an_environment_that_is_the_project_itself_opens_its_programs_and_packages_alone(machine) -> None:
    make(machine.root / "pyvenv.cfg")
    package = make(machine.root / "lib/python3.12/site-packages/pandas/x.py")
    program, data = make(machine.root / "bin/python"), make(machine.root / "share/data.csv")
    machine.folders, machine.prefixes = (str(package.parents[1]),), (str(machine.root),)
    assert [machine.can_read(path) for path in (package, program)] == [True, True]
    assert [machine.can_read(path) for path in (machine.root / "src/own.py", data)] == [False, False]


def test_a_program_of_path_has_what_lies_beside_it_and_what_it_links_to(machine) -> None:
    tool, beside = make(machine.home / "tools/bin/tool"), make(machine.home / "tools/lib/tool.so")
    own = make(machine.home / ".local/bin/own")
    kept, secret = make(machine.home / ".local/lib/own.so"), make(machine.home / ".local/share/keyrings/k")
    linked = make(machine.home / "pipx/venvs/black/bin/black")
    (own.parent / "black").symlink_to(linked)
    shim, version = make(machine.home / ".pyenv/shims/python"), make(machine.home / ".pyenv/versions/3.12/bin/python")
    path = ":".join(str(each.parent) for each in (tool, own, shim))
    for found in (tool, beside, own, kept, linked, shim, version):
        assert machine.can_read(found, PATH=path), found
    assert not machine.can_read(secret, PATH=path)
    assert not machine.can_read(tool)


def test_a_link_into_the_project_opens_nothing_of_it(machine) -> None:
    site = machine.home / "envs/ds/lib/python3.12/site-packages"
    make(site.parents[2] / "pyvenv.cfg")
    site.mkdir(parents=True)
    (site / "own").symlink_to(machine.root / "src")
    (machine.home / "bin").mkdir()
    (machine.home / "bin/own").symlink_to(machine.root / "src/own.py")
    machine.folders = (str(site),)
    assert not machine.can_read(machine.root / "src/own.py", PATH=str(machine.home / "bin"))


def test_of_a_work_tree_the_project_around_it_is_closed_too(machine) -> None:
    tree = machine.root / ".mintage/reproduce/1234"
    make(tree / "src/own.py")
    machine.folders = (str(machine.root / "src"), str(tree / "src"))
    assert not machine.can_read(machine.root / "src/own.py", root=tree)
    assert not machine.can_read(tree / "src/own.py", root=tree)
    assert not machine.can_read(make(machine.root / ".mintage/keys/key"), root=tree)


def test_the_declared_copy_takes_the_place_of_what_an_editable_install_names(machine) -> None:
    site = machine.home / "envs/ds/lib/python3.12/site-packages"
    make(site / "a.pth").write_text(f"import sys\n{machine.root}/src\n{machine.home}/elsewhere\n")
    make(site / "__editable___own_1_0_finder.py").write_text(f"MAPPING = {{'flat': '{machine.root}/flat'}}\n")
    machine.folders = (str(machine.root), str(site))  # the first as `python -m mintage` has it, which no stage has
    work = Path("/scratch/work")
    assert redirected(machine.environment, root=machine.root, work=work) == ["/scratch/work/src", "/scratch/work"]
    tree = machine.root / ".mintage/reproduce/1234"
    assert redirected(machine.environment, root=tree, work=work) == ["/scratch/work/src", "/scratch/work"]


def test_a_project_in_a_folder_of_the_system_is_closed_and_what_lies_beside_it_is_not(machine, monkeypatch) -> None:
    system = machine.home.parent / "opt"
    monkeypatch.setattr("mintage.pipeline.walls.opened._SYSTEM", (str(system),))
    machine.root = system / "projects/churn"
    own, *beside = (make(system / path) for path in ("projects/churn/data.csv", "projects/tools/tool", "cuda/lib.so"))
    assert not machine.can_read(own)
    assert all(machine.can_read(path) for path in beside)
