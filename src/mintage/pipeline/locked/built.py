"""The environments of a clone that were built from locks, each under the digest that is its key.

One is there when its ``.json`` is, which is written last (by ``build``): what was interrupted does not count, and goes
with the next build or ``delete``. One process changes them at a time.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mintage.repo.workspace import Workspace

__all__ = ["Built", "Place", "Tell", "changing", "delete", "find_built", "list_built", "place", "place_of", "remove"]

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
class Place:
    """Where the parts of one are: its folder, what it is, and the stat of its files."""

    home: Path
    about: Path
    files: Path


def place_of(workspace: Workspace, key: str) -> Path:
    """The folder of the environment under ``key``, be it built or not."""
    return place(workspace, key).home


def find_built(workspace: Workspace, key: str) -> Built | None:
    """The environment under ``key``, if it was built; what changed since is not looked for."""
    return _read(place(workspace, key))


def list_built(workspace: Workspace) -> list[Built]:
    """All that were built, by lock."""
    found = [_read(_named(workspace, path.stem)) for path in sorted(workspace.pythons_dir.glob("*.json"))]
    return sorted((each for each in found if each is not None), key=lambda each: (each.lock, each.key))


def delete(workspace: Workspace, *, keep: Collection[str], tell: Tell) -> list[str]:
    """Delete all but those under the keys ``keep``, and what interrupted builds left; returns what went, by lock."""
    with changing(workspace, tell):
        kept = {place(workspace, key).home.name for key in keep}
        gone = []
        for name in sorted({path.name.partition(".")[0] for path in workspace.pythons_dir.glob("*")} - kept):
            found = _read(_named(workspace, name))
            gone.append(found.lock if found is not None else "an interrupted build")
            remove(_named(workspace, name))
        return gone


@contextlib.contextmanager
def changing(workspace: Workspace, tell: Tell) -> Iterator[None]:
    """Be the only process that builds or deletes; waits for another, and tells of that."""
    with workspace.lock("pythons", wait_s=None, on_wait=lambda holder: tell(f"waiting for {holder}, which builds one")):
        yield


def place(workspace: Workspace, key: str) -> Place:
    """Where the environment under ``key`` is, be it built or not."""
    return _named(workspace, key.partition(":")[2][:_DIGITS])


def _named(workspace: Workspace, name: str) -> Place:
    base = workspace.pythons_dir
    return Place(home=base / name, about=base / f"{name}.json", files=base / f"{name}.files")


def _read(there: Place) -> Built | None:
    """What is there, unless it was built at another place or its interpreter is gone."""
    try:
        built = msgspec.json.decode(there.about.read_bytes(), type=Built)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    python = there.home / "bin/python"
    return built if built.described.get("executable") == str(python) and python.exists() else None


def remove(there: Place) -> None:
    """Delete an environment."""
    there.about.unlink(missing_ok=True)  # first: without it nothing counts
    there.files.unlink(missing_ok=True)
    shutil.rmtree(there.home, ignore_errors=True)
