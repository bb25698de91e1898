"""The environments of a clone that were built from locks, each under the digest that is its key.

One is there when its ``.json`` is, which is written last: what was interrupted is deleted and begun anew. One process
builds at a time. What was changed by hand since is found by the stat of every file, and built anew too.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mintage.errors import EnvironmentUnbuiltError
from mintage.pipeline.locked.content import changed_files, listing, spoilt_files
from mintage.pipeline.locked.install import install
from mintage.pipeline.locked.pin import canonical_name
from mintage.pipeline.locked.resolve import Resolved, read_pins
from mintage.repo.workspace import Workspace
from mintage.store.publish import publish_bytes

__all__ = ["Built", "build", "delete", "find_built", "list_built", "place_of"]

Describe = Callable[[Path], dict[str, Any]]
Tell = Callable[[str], None]
_DIGITS = 32


class Built(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A built environment: from which lock and under which key, by what, and what its interpreter says of itself."""

    kind: str = "locked-python"
    version: int = 0
    lock: str
    key: str
    built_by: str
    described: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Place:
    home: Path
    about: Path
    files: Path


def place_of(workspace: Workspace, key: str) -> Path:
    """The folder of the environment under ``key``, be it built or not."""
    return _place(workspace, key).home


def find_built(workspace: Workspace, key: str) -> Built | None:
    """The environment under ``key``, if it was built; what changed since is not looked for."""
    return _read(_place(workspace, key))


def list_built(workspace: Workspace) -> list[Built]:
    """All that were built, by lock."""
    found = [_read(_named(workspace, path.stem)) for path in sorted(workspace.pythons_dir.glob("*.json"))]
    return sorted((each for each in found if each is not None), key=lambda each: (each.lock, each.key))


def build(workspace: Workspace, resolved: Resolved, *, describe: Describe, tell: Tell) -> Built:
    """The environment of ``resolved``, built if it is not there or was changed; ``describe`` asks its interpreter.

    Raises EnvironmentUnbuiltError.
    """
    place = _place(workspace, resolved.key)
    with _locked(workspace, tell):
        found = _read(place)
        if found is not None:
            changed = _changed(place)
            if not changed:
                return found
            tell(f"the environment of {resolved.locked} was changed by hand ({_said(changed)}): building it anew")
        else:
            tell(f"building the environment of {resolved.locked}")
        _remove(place)
        place.home.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _made(workspace, resolved, place, describe)
        except BaseException:
            _remove(place)
            raise


def _made(workspace: Workspace, resolved: Resolved, place: _Place, describe: Describe) -> Built:
    by = install(workspace.root, resolved.locked, place.home, version=resolved.version)
    described = describe(place.home / "bin/python")
    _check(workspace, resolved, described, place.home)
    built = Built(lock=resolved.locked.lock, key=resolved.key, built_by=by, described=described)
    publish_bytes(place.files, listing(place.home).encode())
    publish_bytes(place.about, msgspec.json.encode(built))
    return built


def delete(workspace: Workspace, *, keep: Collection[str], tell: Tell) -> list[str]:
    """Delete all but those under the keys ``keep``, and what interrupted builds left; returns what went, by lock."""
    with _locked(workspace, tell):
        kept = {_place(workspace, key).home.name for key in keep}
        gone = []
        for name in sorted({path.name.partition(".")[0] for path in workspace.pythons_dir.glob("*")} - kept):
            place = _named(workspace, name)
            found = _read(place)
            gone.append(found.lock if found is not None else "an interrupted build")
            _remove(place)
        return gone


@contextlib.contextmanager
def _locked(workspace: Workspace, tell: Tell) -> Iterator[None]:
    with workspace.lock("pythons", wait_s=None, on_wait=lambda holder: tell(f"waiting for {holder}, which builds one")):
        yield


def _place(workspace: Workspace, key: str) -> _Place:
    return _named(workspace, key.partition(":")[2][:_DIGITS])


def _named(workspace: Workspace, name: str) -> _Place:
    base = workspace.pythons_dir
    return _Place(home=base / name, about=base / f"{name}.json", files=base / f"{name}.files")


def _read(place: _Place) -> Built | None:
    """What is there, unless it was built at another place or its interpreter is gone."""
    try:
        built = msgspec.json.decode(place.about.read_bytes(), type=Built)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    python = place.home / "bin/python"
    return built if built.described.get("executable") == str(python) and python.exists() else None


def _changed(place: _Place) -> list[str]:
    """What differs from when it was built."""
    try:
        before, now = place.files.read_text(), listing(place.home)
    except OSError:
        return ["its folder"]
    return [] if before == now else changed_files(before, now)


def _remove(place: _Place) -> None:
    place.about.unlink(missing_ok=True)  # first: without it nothing counts
    place.files.unlink(missing_ok=True)
    shutil.rmtree(place.home, ignore_errors=True)


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
