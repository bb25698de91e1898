"""The interpreters to rebuild with: the one that is here if it is what was recorded, else one built from the lock.

A lock is uv.lock, pylock.toml (both need ``uv``), or a requirements file in which every line has a hash (``uv`` or
``pip``). What was built is compared with the recorded freeze like what is here; nothing is taken for equal unseen.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mintage.errors import EnvironmentUnbuiltError, InterpreterError
from mintage.pipeline.environment import Environment, environment_of
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["Chosen", "Likeness", "choose", "likeness", "packages_that_differ"]

Likeness = Literal["same", "same versions", "another", "unknown"]
_INSTALLERS = frozenset(["mintage", "pip", "setuptools", "uv", "wheel"])
_PATIENCE_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """An interpreter for stages: its file (None: the one that runs this), how like the recorded one it is, the packages
    that differ, and the lock that it was ``built`` from, if it was, or else why not."""

    python: str | None
    likeness: Likeness
    differs: tuple[str, ...] = ()
    built: str | None = None
    note: str | None = None


def choose(
    workspace: Workspace, tree: Workspace, cache: StatCache, *, named: str | None, recorded: Mapping[str, Any] | None,
    key: str | None, build: bool,
) -> Chosen:  # fmt: skip
    """The interpreter that the project calls ``named``: of ``workspace`` if its key is ``key``, else built from a lock
    in ``tree``; with ``build`` built in any case. ``recorded`` is the freeze under that key, if it is known.

    Raises EnvironmentUnbuiltError with ``build`` where that cannot be done, and where there is nothing else.
    """
    problem: InterpreterError | None = None
    here: Environment | None = None
    try:
        here = environment_of(workspace, cache, named)
    except InterpreterError as error:
        problem = error
    if here is not None and here.key == key and not build:
        return Chosen(python=here.python if named is not None else None, likeness="same")
    home = tree.environments_dir / re.sub(r"[^A-Za-z0-9]+", "-", named or "own")
    try:
        python, lock = _build(tree, version=str((recorded or {}).get("python", "")), home=home)
    except EnvironmentUnbuiltError as error:
        if build or here is None:
            raise error from problem
        like = likeness(recorded, here.frozen, key=key, found_key=here.key)
        return Chosen(
            python=here.python if named is not None else None,
            likeness=like,
            differs=packages_that_differ(recorded, here.frozen),
            note=f"not built: {error.message}",
        )
    made = environment_of(tree, cache, python)
    like = likeness(recorded, made.frozen, key=key, found_key=made.key)
    return Chosen(python=python, likeness=like, differs=packages_that_differ(recorded, made.frozen), built=lock)


def likeness(
    recorded: Mapping[str, Any] | None, found: Mapping[str, Any], *, key: str | None, found_key: str
) -> Likeness:
    """How like the recorded environment ``found`` is. Pure."""
    if key is not None and key == found_key:
        return "same"
    if recorded is None:
        return "unknown"
    return "another" if packages_that_differ(recorded, found) else "same versions"


def packages_that_differ(recorded: Mapping[str, Any] | None, found: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs by version, one a line; installers and Mintage itself do not count. Pure.

    >>> old = {"python": "3.11.7", "packages": [{"name": "numpy", "version": "1"}, {"name": "pip", "version": "9"}]}
    >>> packages_that_differ(old, {"python": "3.11.7", "packages": [{"name": "numpy", "version": "2"}]})
    ('numpy 1 -> 2',)
    """
    if recorded is None:
        return ()
    old, new = _versions(recorded), _versions(found)
    return tuple(
        f"{name} {old.get(name, 'absent')} -> {new.get(name, 'absent')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _versions(frozen: Mapping[str, Any]) -> dict[str, str]:
    found = {package["name"]: str(package["version"]) for package in frozen["packages"]}
    named = {name: version for name, version in found.items() if name not in _INSTALLERS}
    about = {name: str(frozen[name]) for name in ("python", "implementation", "platform") if name in frozen}
    return {**about, **named}


def _build(tree: Workspace, *, version: str, home: Path) -> tuple[str, str]:
    """Build an environment from the first lock that ``tree`` has; the interpreter's file, and the lock's name."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    python = home / "bin/python"
    wanted = ".".join(version.split(".")[:2]) or f"{sys.version_info[0]}.{sys.version_info[1]}"
    locks = [name for name in ("uv.lock", "pylock.toml") if (tree.root / name).is_file()]
    hashed = [path.name for path in sorted(tree.root.glob("requirements*.txt")) if _is_hashed(path)]
    if locks and uv is not None:
        _make(tree, [uv, "venv", "-q", "--python", wanted, str(home)], locks[0])
        if locks[0] == "uv.lock":
            project = {"UV_PROJECT_ENVIRONMENT": str(home)}
            _make(tree, [uv, "sync", "-q", "--frozen", "--no-install-project"], locks[0], project)
        else:
            _make(tree, [uv, "pip", "sync", "-q", "--python", str(python), locks[0]], locks[0])
        return str(python), locks[0]
    if hashed and uv is not None:
        _make(tree, [uv, "venv", "-q", "--python", wanted, str(home)], hashed[0])
        install = [uv, "pip", "sync", "-q", "--require-hashes", "--python", str(python), hashed[0]]
        _make(tree, install, hashed[0])
        return str(python), hashed[0]
    if hashed and wanted == f"{sys.version_info[0]}.{sys.version_info[1]}":
        _make(tree, [sys.executable, "-m", "venv", "--without-pip", str(home)], hashed[0])
        install = ["-m", "pip", "--python", str(python), "install", "-q", "--require-hashes", "--no-deps", "-r"]
        _make(tree, [sys.executable, *install, hashed[0]], hashed[0])
        return str(python), hashed[0]
    raise EnvironmentUnbuiltError(
        "the environment of that revision cannot be built here",
        expected="uv.lock or pylock.toml, and the program uv; or requirements*.txt with a hash for every package",
        found=f"{(locks + hashed)[0]}, but no uv" if locks + hashed else "no such lock in that revision",
        hint="commit one beside mintage.yaml: `uv lock`, or `pip-compile --generate-hashes`",
    )


def _is_hashed(path: Path) -> bool:
    """Whether every requirement in the file has a hash."""
    text = re.sub(r"\\\n", " ", path.read_text(errors="replace"))
    lines = [line.strip() for line in text.splitlines()]
    asked = [line for line in lines if line and not line.startswith(("#", "-"))]
    return bool(asked) and all("--hash=" in line for line in asked)


def _make(tree: Workspace, command: list[str], lock: str, more: Mapping[str, str] | None = None) -> None:
    given = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            command,
            cwd=tree.root,
            env={**given, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        said, code = done.stderr.decode(errors="replace").strip()[-2000:], done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        said, code = str(error), 1
    if code != 0:
        raise EnvironmentUnbuiltError(
            f"an environment could not be built from {lock}",
            found=said or f"exit code {code}",
            where=lock,
            hint="what it names may be gone from its index, or have no build for this machine",
        )
