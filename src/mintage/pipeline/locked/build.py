"""Build the environment of a lock, unless it is there and as it was built.

What was changed by hand since is found by the stat of every file. What was installed is compared with what the lock
pins, and each file with its package's RECORD, before it counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mintage.errors import EnvironmentUnbuiltError
from mintage.pipeline.locked.built import Built, Place, Tell, changing, find_built, place, remove
from mintage.pipeline.locked.content import changed_files, listing, spoilt_files
from mintage.pipeline.locked.install import install
from mintage.pipeline.locked.pin import canonical_name
from mintage.pipeline.locked.resolve import Resolved, read_pins
from mintage.repo.workspace import Workspace
from mintage.store.publish import publish_bytes

__all__ = ["build"]

Describe = Callable[[Path], dict[str, Any]]


def build(workspace: Workspace, resolved: Resolved, *, describe: Describe, tell: Tell) -> Built:
    """The environment of ``resolved``, built if it is not there or was changed; ``describe`` asks its interpreter.

    Raises EnvironmentUnbuiltError.
    """
    there = place(workspace, resolved.key)
    with changing(workspace, tell):
        found = find_built(workspace, resolved.key)
        if found is not None:
            changed = _changed(there)
            if not changed:
                return found
            tell(f"the environment of {resolved.locked} was changed by hand ({_said(changed)}): building it anew")
        else:
            tell(f"building the environment of {resolved.locked}")
        remove(there)
        there.home.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        try:
            built = _made(workspace, resolved, there, describe)
        except BaseException:
            remove(there)
            raise
        packages = len(built.described["frozen"]["packages"])
        tell(f"built in {time.monotonic() - began:.1f} s by {built.built_by}; packages: {packages}")
        return built


def _made(workspace: Workspace, resolved: Resolved, there: Place, describe: Describe) -> Built:
    by = install(workspace.root, resolved.locked, there.home, version=resolved.version)
    described = describe(there.home / "bin/python")
    _check(workspace, resolved, described, there.home)
    built = Built(lock=resolved.locked.lock, key=resolved.key, built_by=by, described=described)
    publish_bytes(there.files, listing(there.home).encode())
    publish_bytes(there.about, msgspec.json.encode(built))
    return built


def _changed(there: Place) -> list[str]:
    """What differs from when it was built."""
    try:
        before, now = there.files.read_text(), listing(there.home)
    except OSError:
        return ["its folder"]
    return [] if before == now else changed_files(before, now)


def _check(workspace: Workspace, resolved: Resolved, described: dict[str, Any], home: Path) -> None:
    """Raise EnvironmentUnbuiltError if what is installed is not what the lock pins, or not what its wheels say."""
    frozen = described["frozen"]
    # Some markers ask for the last number of the version, which only the built interpreter tells.
    pins = read_pins(workspace.root / resolved.locked.lock, resolved.locked, python=str(frozen["python"]))
    pinned = {pin.name: pin.version for pin in pins}
    installed = {canonical_name(each["name"]): str(each["version"]) for each in frozen["packages"]}
    differing = sorted(
        name for name in pinned.keys() | installed.keys() if not _are_one(pinned.get(name), installed.get(name))
    )
    if differing:
        name = differing[0]
        raise EnvironmentUnbuiltError(
            f"what was installed from {resolved.locked} is not what it pins",
            expected=f"{name} {pinned.get(name, 'absent')}",
            found=f"{name} {installed.get(name, 'absent')}"
            + (f", and {len(differing) - 1} more" if differing[1:] else ""),
            where=resolved.locked.lock,
            hint="make the lock again; if it stays so, please report it with the lock",
        )
    spoilt = spoilt_files(home, tuple(described["folders"]))
    if spoilt:
        raise EnvironmentUnbuiltError(
            f"files that were installed from {resolved.locked} are not those of their packages",
            expected="what each package's RECORD says",
            found=_said(spoilt),
            where=resolved.locked.lock,
            hint="the installer's cache may be spoilt: `uv cache clean`, or `pip cache purge`",
        )


def _are_one(pinned: str | None, installed: str | None) -> bool:
    """Whether two versions are the same; an address does not tell the version."""
    from packaging.utils import canonicalize_version

    if pinned is None or installed is None:
        return False
    return "/" in pinned or canonicalize_version(pinned) == canonicalize_version(installed)


def _said(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
