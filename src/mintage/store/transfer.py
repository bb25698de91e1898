"""Copy a blob from one store to another: verified as it is read, read back before it gets its name.

A crash at any moment leaves the blob there or not there, never a part under its name; doing it again goes on.
"""

from __future__ import annotations

from mintage.errors import DigestMismatchError
from mintage.record.digest import blake3_file
from mintage.store.local import Store
from mintage.store.publish import publish_file, temporary_beside

__all__ = ["copy_blob"]

_BLOCK = 1 << 20


def copy_blob(digest: str, *, source: Store, target: Store) -> int:
    """Bring a blob of ``source`` into ``target``; returns its size. Raises BlobMissingError or DigestMismatchError, and
    then ``target`` is as it was."""
    place = target.path_of(digest)
    temporary = temporary_beside(place)
    try:
        size = 0
        with source.open(digest) as reader, temporary.open("xb") as writer:
            while block := reader.read(_BLOCK):
                size += writer.write(block)
        found = blake3_file(temporary)
        if found != digest:
            raise DigestMismatchError(
                f"blob {digest[:15]}… was not written as it was read",
                expected=digest,
                found=found,
                where=str(target.root),
                hint="the disk or its connection is at fault; run the command again",
            )
        temporary.chmod(0o444)
        publish_file(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)
    return size
