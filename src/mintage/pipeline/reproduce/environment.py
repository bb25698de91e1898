"""The interpreters to rebuild with: the one that is here if it is what was recorded, else one built from the lock.

What was built is compared with the recorded freeze like what is here; nothing is taken for equal unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mintage.errors import EnvironmentUnbuiltError, InterpreterError
from mintage.pipeline.environment import Environment, environment_of, ready_environment
from mintage.pipeline.reproduce.build_environment import build_environment
from mintage.repo.locked_python import LockedPython
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["Chosen", "Likeness", "choose", "choose_locked", "likeness", "packages_that_differ"]

Likeness = Literal["same", "same versions", "another", "unknown"]
_INSTALLERS = frozenset(["mintage", "pip", "setuptools", "uv", "wheel"])


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
    workspace: Workspace,
    tree: Workspace,
    cache: StatCache,
    *,
    named: str | None,
    recorded: Mapping[str, Any] | None,
    key: str | None,
    build: bool,
    tell: Callable[[str], None],
) -> Chosen:
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
    home = tree.pythons_dir / re.sub(r"[^A-Za-z0-9]+", "-", named or "own")
    try:
        python, lock = build_environment(tree.root, home, version=str((recorded or {}).get("python", "")), tell=tell)
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


def choose_locked(
    tree: Workspace,
    cache: StatCache,
    named: LockedPython,
    *,
    recorded: Mapping[str, Any] | None,
    key: str | None,
    tell: Callable[[str], None],
) -> Chosen:
    """What the revision names as a lock is built in the empty place, whatever is here; its stages find it there."""
    made = ready_environment(tree, cache, named, tell=tell)
    like = likeness(recorded, made.frozen, key=key, found_key=made.key)
    return Chosen(python=None, likeness=like, differs=packages_that_differ(recorded, made.frozen), built=named.lock)


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
