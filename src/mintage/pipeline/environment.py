"""The environment of a stage: its interpreter, frozen with a hash for every installed package.

That is the interpreter that runs Mintage, or the one that the project names (``python:``), which is asked in a process
of its own and need not have Mintage in it. What it said is remembered under the stat of its site folders, so that a
second run starts no process and reads no package. The package ``mintage`` is recorded but is not part of the key: its
release must not rerun every pipeline. Where the project names a lock, the environment's key is known before it is
built, which ``ready_environment`` does.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.errors import InterpreterError
from mintage.pipeline.freeze import OLDEST, describe, fingerprint
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes
from mintage.repo.locked_python import LockedPython
from mintage.repo.project import Project
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.statcache import StatCache

if TYPE_CHECKING:  # what only a lock needs is imported then
    from mintage.pipeline.locked.resolve import Resolved

__all__ = [
    "Environment",
    "environment_key",
    "environment_of",
    "named_interpreter",
    "own_environment",
    "ready_environment",
]

_PATIENCE_S = 60.0
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYENV_ROOT", "PYENV_VERSION")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An interpreter: how to start it, what it is, where it reads from; ``named`` is what the project calls it.

    One that is built from a ``lock`` has the key ``locked``, and may not be there yet."""

    python: str
    named: str | None
    frozen: dict[str, Any]
    folders: tuple[str, ...]
    prefixes: tuple[str, ...]
    modules: tuple[str, ...]
    locked: str | None = None
    lock: LockedPython | None = None

    @functools.cached_property
    def key(self) -> str:
        """The digest that enters cache keys."""
        return self.locked or environment_key(self.frozen)

    @functools.cached_property
    def text(self) -> bytes:
        """The freeze as records name it, by digest; each stage that runs has it kept."""
        return canonical_bytes(self.frozen)

    def version_of(self, package: str) -> str | None:
        """The installed version of a package; None if it is not there."""
        found = (each["version"] for each in self.frozen["packages"] if each["name"] == package)
        return next(found, None)


def environment_key(frozen: dict[str, Any]) -> str:
    """The digest of a freeze that enters cache keys."""
    packages = [package for package in frozen["packages"] if package["name"] != "mintage"]
    return blake3_bytes(canonical_bytes({**frozen, "packages": packages}))


def named_interpreter(project: Project, stage: str | None) -> str | LockedPython | None:
    """What the project calls the interpreter of ``stage`` (None: of the project); None for the one that runs this."""
    own = project.stages[stage].python if stage in project.stages else None
    return own or project.python


def own_environment(cache: StatCache) -> Environment:
    """The environment of the interpreter that runs this, as it runs: its path may begin with the current folder."""
    key = f"own-interpreter:{sys.executable}"
    folders = [str(Path(folder).absolute()) for folder in sys.path if folder]
    known = _known(cache, key)
    if known is None or known["mark"] != fingerprint(sys.executable, folders):
        known = describe(sys.executable)
        _remember(cache, key, known)
    return _environment(known, named=None)


def environment_of(workspace: Workspace, cache: StatCache, named: str | LockedPython | None) -> Environment:
    """The environment of the interpreter ``named``; raises InterpreterError if it cannot be used.

    A program that is itself a script, such as a version manager's, is asked each time: what it starts may change.
    """
    if named is None:
        return own_environment(cache)
    if isinstance(named, LockedPython):
        from mintage.pipeline.locked.built import find_built
        from mintage.pipeline.locked.resolve import resolve

        resolved = resolve(workspace, cache, named)
        built = find_built(workspace, resolved.key)
        return _locked(workspace, resolved, built.described if built is not None else None)
    python = _find(workspace, named)
    key = f"interpreter:{python}"
    known = None if _is_script(python) else _known(cache, key)
    if known is None or known["mark"] != fingerprint(python, known["folders"]):
        _refuse_tracked(workspace, Path(python), named)
        known = _ask(workspace, python, named)
        _remember(cache, key, known)
    return _environment(known, named=named)


def ready_environment(
    workspace: Workspace, cache: StatCache, named: str | LockedPython | None, *, tell: Callable[[str], None]
) -> Environment:
    """The environment as ``environment_of`` gives it, there to be used: one of a lock is built if it is not there, or
    was changed by hand. Raises EnvironmentUnbuiltError."""
    if not isinstance(named, LockedPython):
        return environment_of(workspace, cache, named)
    from mintage.pipeline.locked.build import build
    from mintage.pipeline.locked.resolve import resolve

    resolved = resolve(workspace, cache, named)
    built = build(workspace, resolved, describe=lambda python: _ask(workspace, str(python), str(named)), tell=tell)
    return _locked(workspace, resolved, built.described)


def _locked(workspace: Workspace, resolved: Resolved, described: dict[str, Any] | None) -> Environment:
    """The environment of a lock; what is not ``described`` is not built."""
    from mintage.pipeline.locked.built import place_of

    executable = str(place_of(workspace, resolved.key) / "bin/python")
    unbuilt = {"executable": executable, "frozen": resolved.frozen, "folders": [], "prefixes": [], "modules": []}
    found = _environment(described or unbuilt, named=str(resolved.locked))
    return dataclasses.replace(found, locked=resolved.key, lock=resolved.locked)


def _known(cache: StatCache, key: str) -> dict[str, Any] | None:
    text = cache.result(key)
    try:
        return None if text is None else msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:  # a path that is not UTF-8: it is asked each time
        return None


def _remember(cache: StatCache, key: str, known: dict[str, Any]) -> None:
    import json

    cache.remember(key, json.dumps(known))


def _environment(known: dict[str, Any], *, named: str | None) -> Environment:
    return Environment(
        python=known["executable"],
        named=named,
        frozen=known["frozen"],
        folders=tuple(known["folders"]),
        prefixes=tuple(known["prefixes"]),
        modules=tuple(known["modules"]),
    )


def _find(workspace: Workspace, named: str) -> str:
    """The file that ``named`` means: a path from the project's folder (or the main work tree's), or a command."""
    if "/" in named:
        tried = [workspace.root / named, workspace.state.parent / named]
        found = next((path for path in tried if path.exists()), None)
    else:
        from shutil import which

        command = which(named)
        tried, found = [], Path(command) if command else None
    if found is None:
        raise InterpreterError(
            f"the interpreter {named} is not there",
            expected="a Python, by its path in the project or by a command on PATH",
            where=str(tried[0]) if tried else PROJECT_FILE,
            hint=_hint_to_make(named),
        )
    if not found.is_file() or not os.access(found, os.X_OK):
        raise InterpreterError(
            f"the interpreter {named} cannot be run",
            expected="an executable file",
            found="a folder" if found.is_dir() else "a file that is not executable",
            where=str(found),
            hint=f"name the program itself, such as {named.rstrip('/')}/bin/python" if found.is_dir() else None,
        )
    return str(found.absolute())  # a venv's python is a symlink, but what it leads to is another environment


def _hint_to_make(named: str) -> str:
    folder, found, _ = named.partition("/bin/")
    made = f"make it with `python -m venv {folder}`" if found else "install it"
    return f"{made}, or correct `python:` in {PROJECT_FILE}"


def _refuse_tracked(workspace: Workspace, python: Path, named: str) -> None:
    """A file of the repository is not started by looking at the project: `status` runs no code of it."""
    for path in {python, python.resolve()}:
        inside = path.is_relative_to(workspace.root)
        if inside and workspace.git.is_repository() and workspace.git.run("ls-files", "-z", "--", str(path)):
            raise InterpreterError(
                f"the interpreter {named} is a file of the repository",
                expected="a program that Git does not track",
                where=str(path),
                hint="take it out of Git, and let each machine make its own environment",
            )


def _is_script(python: str) -> bool:
    with open(python, "rb") as stream:
        return stream.read(2) == b"#!"


def _ask(workspace: Workspace, python: str, named: str) -> dict[str, Any]:
    import json
    import subprocess

    script = Path(__file__).with_name("freeze.py")
    passed = {key: os.environ[key] for key in _PASSED if key in os.environ}
    try:
        done = subprocess.run(
            [python, "-I", str(script), python],
            cwd=workspace.root,
            env=passed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        said, problem = done.stdout, done.stderr.decode(errors="replace").strip()[-2000:]
        problem = problem or f"exit code {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        said, problem = b"", str(error)
    try:
        known: dict[str, Any] = json.loads(said)
        version: Sequence[int] = known["version"]
    except (ValueError, KeyError, TypeError):
        raise _not_usable(named, python, found=problem) from None
    if tuple(version[:2]) < OLDEST:
        raise _not_usable(named, python, found=f"Python {'.'.join(map(str, version))}")
    return known


def _not_usable(named: str, python: str, *, found: str) -> InterpreterError:
    return InterpreterError(
        f"the interpreter {named} cannot be used",
        expected=f"Python {'.'.join(map(str, OLDEST))} or later",
        found=found,
        where=python,
        hint=f"correct `python:` in {PROJECT_FILE}, or make the environment again with a later Python",
    )
