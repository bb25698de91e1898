"""The index of an import: which digest of ours each DVC object has, and which objects could not be had. See
docs/spec/dvc-index.md.

It is a record in the store, and the lock ``import:dvc`` names it, so that old revisions of the repository, which name
data by MD5, stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mintage.data.dvc.objects import Brought
from mintage.errors import RecordInvalidError
from mintage.record.digest import parse_digest
from mintage.record.envelope import Record
from mintage.repo.locks import Lock, read_lock, write_lock
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["IMPORT_LOCK", "Index", "read_index", "write_index"]

IMPORT_LOCK = "import:dvc"
_KIND = "dvc-index"


class Index(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body: ``objects`` by DVC's name, ``missing`` with the reason of each, the ``commit`` that was imported."""

    commit: str
    history: str
    objects: dict[str, Brought]
    missing: dict[str, str]


def write_index(workspace: Workspace, store: Store, index: Index) -> str:
    """Keep the index and name it in its lock; returns its digest."""
    upstream = tuple(sorted({found.digest for found in index.objects.values()}))
    record = Record(kind="dvc-index", version=0, upstream=upstream, body=msgspec.to_builtins(index))
    digest = store.put_record(record)
    write_lock(workspace.root, Lock(name=IMPORT_LOCK, what="import", record=digest))
    return digest


def read_index(workspace: Workspace, store: Store) -> Index | None:
    """The index of the project; None if no DVC project was imported. Raises BlobMissingError or RecordInvalidError."""
    lock = read_lock(workspace.root, IMPORT_LOCK)
    if lock is None or lock.record is None:
        return None
    record = store.get_record(lock.record, kind=_KIND)
    try:
        index = msgspec.convert(record.body, Index)
    except msgspec.ValidationError as error:
        raise RecordInvalidError("malformed index of a DVC import", found=str(error)) from error
    _check(index.objects)
    return index


def _check(objects: Mapping[str, Brought]) -> None:
    for found in objects.values():
        parse_digest(found.digest)
