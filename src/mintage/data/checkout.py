"""``checkout``: put versioned data back into the work tree, verified, as the locks say it is."""

from __future__ import annotations

from pathlib import Path

from mintage.errors import BlobMissingError, DataModifiedError
from mintage.repo.locks import Item
from mintage.store.local import Store
from mintage.store.statcache import StatCache

__all__ = ["checkout_item", "place"]


def place(store: Store, item: Item, target: Path) -> None:
    """Write ``item`` to ``target`` from the store, replacing what is there; every byte is verified first."""
    if not item.folder:
        if target.is_dir():
            _delete(target)
        store.checkout(item.digest, target)
        return
    store.verify_tree(item.digest)
    if target.is_dir():
        _delete(target)
    store.checkout_tree(item.digest, target)


def _delete(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder)


def checkout_item(store: Store, item: Item, root: Path, cache: StatCache, *, force: bool = False) -> bool:
    """Bring ``root/item.path`` to what the lock says; returns whether anything was written.

    Raises DataModifiedError rather than overwrite content that the store does not have, unless ``force``.
    """
    target = root / item.path
    if target.exists():
        digest = cache.digest(target)[0]
        if digest == item.digest:
            return False
        if not force and not store.has(digest):
            raise DataModifiedError(
                f"{item.path} was changed and its content is not in the store",
                expected=item.digest,
                found=digest,
                where=str(target),
                hint=f"keep it with `mintage add {item.path}`, or overwrite it with `mintage checkout --force`",
            )
    if not store.has(item.digest):
        raise BlobMissingError(
            f"{item.path} is neither here nor in the store",
            expected=item.digest,
            where=str(store.root),
            hint="a clone brings no data: `mintage pull` does, once it was pushed; or copy the file here",
        )
    place(store, item, target)
    return True
