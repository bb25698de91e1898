"""Find, on a worker, the interpreter whose environment has the key of an action; say what differs if none has."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mintage.errors import InterpreterError, WorkerEnvironmentError
from mintage.pipeline.environment import Environment, environment_of, own_environment, ready_environment
from mintage.repo.locked_python import LockedPython
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["differences", "kept_folder", "worker_environment"]

_SHOWN = 4


def worker_environment(
    workspace: Workspace,
    cache: StatCache,
    *,
    key: str,
    python: str | None,
    locked: LockedPython | None,
    wanted: Callable[[], bytes],
) -> Environment:
    """The environment with that ``key``: built from the lock in ``workspace`` if it is ``locked``, else that of the
    interpreter ``python`` if one is named and there is, else of the one that runs this. What was built is kept for the
    user's next worker. ``wanted`` gives the freeze that the submitter had; raises WorkerEnvironmentError, and
    EnvironmentUnbuiltError."""
    found = []
    for environment in _candidates(workspace, cache, python, locked):
        if environment.key == key:
            return environment
        found.append(environment)
    here = found[0] if found else None
    told = differences(json.loads(wanted()), here.frozen) if here is not None else []
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    raise WorkerEnvironmentError(
        "the worker has not the environment that the stage's key names",
        expected=key,
        found="; ".join(told[:_SHOWN]) + more if told else "no interpreter",
        where=here.python if here is not None else python,
        hint="install the same packages where the worker runs, such as from the project's lock",
    )


def _candidates(
    workspace: Workspace, cache: StatCache, python: str | None, locked: LockedPython | None
) -> Iterator[Environment]:
    if locked is not None:
        workspace.pythons_dir = kept_folder() / "pythons"
        yield ready_environment(workspace, cache, locked, tell=lambda _: None)
        return
    if python is not None:
        try:
            found = environment_of(workspace, cache, python)
            yield replace(found, named=None) if python == sys.executable else found
        except InterpreterError:
            return
        return
    yield own_environment(cache)
    # What started the worker may have put folders of its own on the path; asked alone, it has what a stage sees.
    yield replace(environment_of(workspace, cache, sys.executable), named=None)


def kept_folder() -> Path:
    """The folder of the user's own cache in which workers keep what they know."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "mintage"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What differs between two freezes, the interpreter first. Pure.

    >>> one = {"python": "3.11.7", "packages": [{"name": "numpy", "version": "2.0", "record": "sha256:1"}]}
    >>> differences(one, {"python": "3.12.1", "packages": []})
    ['python 3.12.1, not 3.11.7', 'no numpy 2.0']
    """
    told = [
        f"{name} {found.get(name)}, not {wanted.get(name)}"
        for name in ("python", "implementation", "platform")
        if wanted.get(name) != found.get(name)
    ]
    there = {package["name"]: package for package in found["packages"]}
    asked = {package["name"]: package for package in wanted["packages"] if package["name"] != "mintage"}
    for name, package in asked.items():
        other = there.get(name)
        if other is None:
            told.append(f"no {name} {package['version']}")
        elif other["version"] != package["version"]:
            told.append(f"{name} {other['version']}, not {package['version']}")
        elif other["record"] != package["record"]:
            told.append(f"{name} {package['version']} with other files")
    told += [f"{name} too" for name in there if name not in asked and name != "mintage"]
    return told
