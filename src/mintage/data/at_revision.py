"""What was versioned at a revision: by the locks of that commit, or by DVC's files in it and the index of the import.

``open_at`` gives bytes that were verified; a path inside a versioned folder can be named too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import BinaryIO

from mintage.data.dvc.history import Past
from mintage.data.dvc.index import read_index
from mintage.errors import BlobMissingError, UnknownNameError, UsageError
from mintage.repo.locks import LOCK_FOLDER, Item, parse_lock
from mintage.repo.nearest import nearest_hint
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["Versioned", "open_at", "versioned_at"]


@dataclass(frozen=True, kw_only=True)
class Versioned:
    """Items by path; ``lost`` says of other paths why their bytes cannot be had."""

    commit: str
    items: dict[str, Item]
    lost: dict[str, str] = field(default_factory=dict)

    def item(self, path: str, store: Store) -> Item | None:
        """The item at ``path`` or the file at ``path`` inside a folder; None if neither. Raises BlobMissingError for
        one whose bytes cannot be had."""
        if path in self.items:
            return self.items[path]
        if path in self.lost:
            raise BlobMissingError(
                f"{path} of {self.commit[:12]} cannot be had",
                found=self.lost[path],
                hint="fetch it with `dvc fetch --all-commits` and run `mintage import dvc` again",
            )
        for item in self.items.values():
            if item.folder and path.startswith(item.path + "/"):
                inner = path[len(item.path) + 1 :]
                entry = next((entry for entry in store.get_tree(item.digest).entries if entry.path == inner), None)
                if entry is not None:
                    return Item(path=path, digest=entry.digest, size=entry.size)
        return None


def versioned_at(workspace: Workspace, store: Store, revision: str) -> Versioned:
    """What was versioned at ``revision``; raises GitError if there is no such commit."""
    git = workspace.git
    commit = git.resolve(revision)
    items: dict[str, Item] = {}
    for path in git.list_files(commit, LOCK_FOLDER):
        lock = parse_lock(git.show(commit, path) or b"", where=f"{path} at {revision}")
        if lock.what in ("data", "stage"):
            items |= {item.path: item for item in lock.outputs}
    lost: dict[str, str] = {}
    index = read_index(workspace, store)
    if index is not None:
        for out in Past(git).tracked(commit).outs:
            if out.path is not None and out.path not in items:
                found = index.objects.get(out.name or "")
                if found is not None:
                    items[out.path] = Item(path=out.path, digest=found.digest, size=found.size, folder=found.folder)
                elif out.name is not None or out.left_out is not None:
                    reason = out.left_out or index.missing.get(out.name or "", "not among the imported objects")
                    lost[out.path] = reason
    return Versioned(commit=commit, items=items, lost=lost)


def open_at(workspace: Workspace, path: str, revision: str) -> BinaryIO:
    """The file ``path`` (from the root) as it was at ``revision``, opened for reading, verified."""
    store = Store(workspace.store_dir)
    versioned = versioned_at(workspace, store, revision)
    item = versioned.item(path, store)
    if item is None:
        data = workspace.git.show(versioned.commit, path)
        if data is None:
            raise UnknownNameError(
                f"nothing at {path!r} in {revision}",
                expected=", ".join(sorted(versioned.items)) or "nothing was versioned then",
                hint=nearest_hint(path, versioned.items, otherwise="give the path from the project's root"),
            )
        return io.BytesIO(data)
    if item.folder:
        raise UsageError(
            f"{path} is a folder", hint=f"name a file in it, or `mintage checkout --rev {revision} {path}`"
        )
    return store.open(item.digest)
