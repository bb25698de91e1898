"""The folder that a project shares data and results through: key ``remote`` of mintage.yaml.

>>> remote_path("~/shared/churn", root=Path("/projects/churn"), home=Path("/people/ann"))
PosixPath('/people/ann/shared/churn')
>>> remote_path("../store", root=Path("/projects/churn"), home=Path("/people/ann"))
PosixPath('/projects/store')
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from mintage.errors import RemoteError
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.local import Store
from mintage.store.publish import publish_bytes

__all__ = ["REMOTES", "open_remote", "remote_at", "remote_path"]

REMOTES = "~/mintage-remotes"
"""Where `mintage init` puts the first remote: a folder a project, in nobody's home by name."""

_MARK = "mintage-remote.json"


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder says that it is."""

    kind: str
    version: int


def remote_path(remote: str | None, *, root: Path, home: Path) -> Path:
    """The folder that ``remote`` means in the project at ``root``; raises RemoteError."""
    if remote is None:
        raise RemoteError(
            "the project names no remote",
            expected="`remote: PATH`",
            where=PROJECT_FILE,
            hint=f"write a folder that others reach too, such as `remote: {REMOTES}/{root.name}`",
        )
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", remote):
        raise RemoteError(
            f"a remote at {remote.partition(':')[0]}: cannot be used yet",
            expected="the path of a folder",
            found=remote,
            where=PROJECT_FILE,
            hint="buckets come later; until then a mounted or synchronised folder does",
        )
    expanded = home / remote[2:] if remote.startswith("~/") else Path(remote)
    path = Path(os.path.normpath(root / expanded))
    if path.is_relative_to(root) or root.is_relative_to(path):
        raise RemoteError(
            "the remote and the project lie in each other",
            expected="a folder beside or away from the project",
            found=remote,
            where=PROJECT_FILE,
            hint=f"name another folder, such as `remote: {REMOTES}/NAME`",
        )
    return path


def open_remote(workspace: Workspace, *, home: Path, make: bool) -> Store:
    """The remote's store; with ``make`` a folder that is not there yet is made. Raises RemoteError."""
    path = remote_path(workspace.project().remote, root=workspace.root, home=home)
    mark = path / _MARK
    if make and not mark.exists():
        publish_bytes(mark, msgspec.json.encode(_Mark(kind="remote", version=0)) + b"\n")
    return remote_at(path)


def remote_at(path: Path) -> Store:
    """The store of the remote in the folder ``path``; raises RemoteError if it is none."""
    mark = path / _MARK
    try:
        found = msgspec.json.decode(mark.read_bytes(), type=_Mark)
    except (FileNotFoundError, NotADirectoryError):
        raise RemoteError(
            "the remote is not there",
            expected=f"a folder that `mintage push` has made, with a {_MARK}",
            where=str(path),
            hint="mount it, correct `remote:`, or push first from where the data is",
        ) from None
    except msgspec.MsgspecError as error:
        raise RemoteError("the remote's mark cannot be read", found=str(error), where=str(mark)) from error
    if (found.kind, found.version) != ("remote", 0):
        raise RemoteError(
            "the remote has a layout that is not known",
            expected="remote, version 0",
            found=f"{found.kind}, version {found.version}",
            where=str(mark),
            hint="use a later Mintage",
        )
    return Store(path)
