"""``add``: keep a file or folder in the store, and its digest in Git.

The bytes go to the store, ``mintage.lock/<path>.json`` says which they are, and a line in .gitignore keeps them out of
Git's own history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import FileMissingError, UsageError
from mintage.record.digest import blake3_bytes
from mintage.record.manifest import encode_manifest
from mintage.repo.ignore import ignore_path
from mintage.repo.locks import Item, Lock, read_lock, write_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["Added", "add_path", "project_path"]


@dataclass(frozen=True, kw_only=True)
class Added:
    """What ``add_path`` did: the item, whether its content is new, and the files of the project that it wrote."""

    item: Item
    changed: bool
    wrote: tuple[str, ...]


def project_path(workspace: Workspace, path: Path) -> str:
    """``path`` (absolute, or relative to the current folder) relative to the project's root, with ``/``."""
    full = Path.cwd() / path
    try:
        # The last part is not followed: a link is refused by name, not versioned as its target.
        relative = (full.parent.resolve() / full.name).relative_to(workspace.root.resolve())
    except ValueError:
        raise UsageError(
            "the path lies outside the project", expected=f"a path below {workspace.root}", found=str(path)
        ) from None
    if relative.parts[:1] in ((".mintage",), (".git",), ("mintage.lock",)) or not relative.parts:
        raise UsageError("this path cannot be versioned as data", found=str(path))
    return relative.as_posix()


def add_path(workspace: Workspace, name: str, *, progress: Callable[[int], None] = lambda _: None) -> Added:
    """Version the file or folder ``name`` (relative to the root). ``progress`` is called with bytes done.

    Raises FileMissingError if it is not there and DataError at a symbolic link.
    """
    path = workspace.root / name
    if not path.exists() and not path.is_symlink():
        raise FileMissingError(f"{name} is not there", where=str(path), hint="check the spelling of the path")
    store = Store(workspace.store_dir)
    manifest = store.manifest_of(path, keep=True)
    progress(manifest.size)
    if path.is_dir():
        encoded = encode_manifest(manifest)
        store.put_bytes(encoded)
        item = Item(path=name, digest=blake3_bytes(encoded), size=manifest.size, folder=True)
    else:
        item = Item(path=name, digest=manifest.entries[0].digest, size=manifest.size)
    before = read_lock(workspace.root, name)
    wrote = []
    if write_lock(workspace.root, Lock(name=name, what="data", outputs=(item,))):
        wrote.append(f"mintage.lock for {name}")
    if ignore_path(workspace.root, name):
        wrote.append(".gitignore")
    return Added(item=item, changed=before is None or before.outputs != (item,), wrote=tuple(wrote))
