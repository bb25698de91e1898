"""``checkout``: put versioned data back into the work tree, verified, as the locks say it is."""

from __future__ import annotations

import re
from pathlib import Path

from mintage.errors import BlobMissingError, DataModifiedError
from mintage.repo.locks import Item
from mintage.store.local import Store
from mintage.store.publish import temporary_beside
from mintage.store.statcache import StatCache

__all__ = ["checkout_item", "clear_unfinished", "place"]

_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]{16}")


def place(store: Store, item: Item, target: Path) -> None:
    """Write ``item`` to ``target`` from the store, replacing what is there at once; every byte is verified first."""
    if not item.folder:
        if target.is_dir():
            _remove(target)
        store.checkout(item.digest, target)
        return
    store.verify_tree(item.digest)
    temporary, aside = temporary_beside(target), temporary_beside(target)
    try:
        store.checkout_tree(item.digest, temporary)
        if target.exists() or target.is_symlink():
            target.rename(aside)
        temporary.rename(target)
    finally:
        for left in (temporary, aside):
            _remove(left)


def clear_unfinished(target: Path) -> None:
    """Delete what a killed ``place`` left beside ``target``."""
    for left in target.parent.glob(".tmp-*") if target.parent.is_dir() else ():
        if _TEMPORARY.fullmatch(left.name):
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
