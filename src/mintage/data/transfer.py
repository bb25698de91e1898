"""What push and pull do: bring all that locks and records name from one store to another.

Followed are the locks' files, folders and records, and from a record what is upstream of it: all that must be there.
What a record, or a signed statement, names beside that (a log, a policy's text) comes along if the source has it. Data
are never looked into.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from mintage.errors import RecordInvalidError
from mintage.record.envelope import decode
from mintage.record.manifest import decode_manifest
from mintage.repo.locks import Lock
from mintage.store.local import Store
from mintage.store.transfer import copy_blob

__all__ = ["Need", "Transferred", "needs_of", "transfer"]

_DIGEST = re.compile(rb"b3:[0-9a-f]{64}")
_LOOK_BYTES = 256 << 20


@dataclass(frozen=True)
class Need:
    """A digest that something names: of plain bytes, of a folder's manifest, or of evidence, which may name more;
    ``must`` says whether it has to be there."""

    digest: str
    what: Literal["bytes", "folder", "evidence"]
    must: bool = True


@dataclass(kw_only=True)
class Transferred:
    """How many blobs came and their bytes, how many were there already, and the digests that neither side has."""

    copied: int = 0
    size: int = 0
    there: int = 0
    lost: list[str] = field(default_factory=list)


def needs_of(locks: Iterable[Lock]) -> list[Need]:
    """What the locks name themselves."""
    found: list[Need] = []
    for lock in locks:
        items = (*lock.inputs, *lock.outputs)
        found += [Need(item.digest, "folder" if item.folder else "bytes") for item in items]
        found += [Need(digest, "evidence") for digest in (lock.run, lock.record) if digest is not None]
    return found


def transfer(
    needs: Iterable[Need], *, source: Store, target: Store, on_copy: Callable[[int], None] = lambda _: None
) -> Transferred:
    """Copy what ``target`` lacks, with all that it names; ``on_copy`` gets the bytes of each blob."""
    done = Transferred()
    queue = list(needs)
    seen: set[str] = set()
    while queue:
        need = queue.pop()
        if need.digest in seen:
            continue
        if _is_there(need.digest, source=source, target=target):
            done.there += 1
        elif source.has(need.digest):
            size = copy_blob(need.digest, source=source, target=target)
            done.copied += 1
            done.size += size
            on_copy(size)
        else:
            if need.must:
                seen.add(need.digest)
                done.lost.append(need.digest)
            continue  # if something else needs it, it is met again
        seen.add(need.digest)
        queue += (replace(named, must=named.must and need.must) for named in _named_by(need, target))
    return done


def _is_there(digest: str, *, source: Store, target: Store) -> bool:
    """Whether the target has it, in its whole length as far as the source can tell."""
    if not target.has(digest):
        return False
    return not source.has(digest) or source.path_of(digest).stat().st_size == target.path_of(digest).stat().st_size


def _named_by(need: Need, store: Store) -> Iterator[Need]:
    if need.what == "folder":
        yield from (Need(entry.digest, "bytes") for entry in store.get_tree(need.digest).entries)
    elif need.what == "evidence":
        path = store.path_of(need.digest)
        with path.open("rb") as stream:
            looks_so = stream.read(2) == b'{"'
        if looks_so and path.stat().st_size <= _LOOK_BYTES:
            yield from _named_in(store.get_bytes(need.digest))


def _named_in(data: bytes) -> Iterator[Need]:
    """What a record, a folder's manifest or a signed statement names; nothing of anything else."""
    try:
        record = decode(data)
    except RecordInvalidError:
        pass
    else:
        yield from (Need(digest, "evidence") for digest in record.upstream)
        yield from _beside(data)
        return
    try:
        yield from (Need(entry.digest, "bytes") for entry in decode_manifest(data).entries)
    except RecordInvalidError:
        yield from _beside(_payload(data))


def _beside(data: bytes) -> Iterator[Need]:
    yield from (Need(digest.decode(), "evidence", must=False) for digest in dict.fromkeys(_DIGEST.findall(data)))


def _payload(data: bytes) -> bytes:
    """The signed text of a bundle; empty for anything else."""
    try:
        value: Any = msgspec.json.decode(data)
        return base64.b64decode(value["dsseEnvelope"]["payload"], validate=True)
    except (msgspec.MsgspecError, KeyError, TypeError, binascii.Error):
        return b""
