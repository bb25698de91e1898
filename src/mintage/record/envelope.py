"""The envelope that every record of the store has: ``{kind, version, upstream, body}``.

A record names only records upstream of it, by digest, so the history is one Merkle graph. Its id is the BLAKE3 of
its canonical bytes.

>>> record = Record(kind="run", version=0, upstream=(), body={"commit": "4a1c"})
>>> decode(encode(record)) == record
True
"""

from __future__ import annotations

from typing import Any

import msgspec

from mintage.errors import RecordInvalidError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes, parse_digest

__all__ = ["Record", "decode", "encode", "record_id"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One immutable record. ``upstream`` holds digests, in the order in which the kind's specification names them."""

    kind: str
    version: int
    upstream: tuple[str, ...]
    body: dict[str, Any]


def encode(record: Record) -> bytes:
    """The record's canonical bytes."""
    for digest in record.upstream:
        parse_digest(digest)
    return canonical_bytes(msgspec.to_builtins(record))


def decode(data: bytes, *, kind: str | None = None) -> Record:
    """Parse a record strictly; raises RecordInvalidError if malformed or, with ``kind``, of another kind."""
    try:
        record = msgspec.json.decode(data, type=Record)
    except msgspec.MsgspecError as error:
        raise RecordInvalidError(
            "malformed record", expected="kind, version, upstream, body", found=str(error)
        ) from error
    if kind is not None and record.kind != kind:
        raise RecordInvalidError("record of another kind", expected=kind, found=record.kind)
    return record


def record_id(record: Record) -> str:
    """The record's id."""
    return blake3_bytes(encode(record))
