"""Bring the bytes of what is used into this project's store: from the files that Git has, the store of a repository
that is named by a path, or the folder that its project names as ``remote``. Every byte is verified by its digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mintage.data.transfer import Need, transfer
from mintage.errors import BlobMissingError, RemoteError
from mintage.pipeline.uses.used import Used
from mintage.repo.foreign import Foreign
from mintage.repo.locks import Item
from mintage.repo.remote import remote_path
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["bring"]


def bring(workspace: Workspace, used: Used, *, home: Path) -> None:
    """Put ``used.fixed`` into the store; raises BlobMissingError for what is nowhere."""
    store = Store(workspace.store_dir)
    for item in used.fixed:
        own = used.root / item.path
        if own.exists() and _take(store, own, item):
            continue
        if not _copied(store, item, list(_sources(workspace, used, home))):
            raise BlobMissingError(
                f"{item.path} of {used.use.repo} is nowhere to be had",
                expected=item.digest,
                where=f"{used.use.repo}@{used.pin.commit[:12]}",
                hint="`mintage push` there fills the folder that its `remote:` names, which must be reachable here",
            )


def _take(store: Store, path: Path, item: Item) -> bool:
    return (store.put_tree(path) if path.is_dir() else store.put_file(path)) == item.digest


def _copied(store: Store, item: Item, sources: list[Store]) -> bool:
    need = Need(item.digest, "folder" if item.folder else "bytes")
    return any(not transfer([need], source=source, target=store).lost for source in [store, *sources])


def _sources(workspace: Workspace, used: Used, home: Path) -> Iterator[Store]:
    local = Foreign(workspace, used.use).local
    if local is not None and (local / ".mintage" / "store").is_dir():
        yield Store(local / ".mintage" / "store")
    remote = used.project.remote
    if remote is not None and (local is not None or remote.startswith(("/", "~/"))):
        try:
            yield Store(remote_path(remote, root=local or used.root, home=home))
        except RemoteError:
            return
