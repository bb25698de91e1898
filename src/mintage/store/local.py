"""The local store: one file a blob, named by its BLAKE3, verified whenever it is read.

``Store(root)`` keeps blobs at ``root/b3/ab/cdef…``. A folder is a data manifest (:mod:`mintage.record.manifest`),
itself a blob. Nothing is ever changed in place; a blob that does not match its name raises DigestMismatchError and its
bytes are never handed out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from mintage.errors import BlobMissingError, DataError, DigestMismatchError
from mintage.record.digest import blake3_bytes, blake3_file, hex_of
from mintage.record.envelope import Record, decode, encode
from mintage.record.manifest import DataManifest, Entry, decode_manifest, encode_manifest
from mintage.store.clone import cloned
from mintage.store.publish import fsync_dir, publish_bytes, publish_file, temporary_beside

__all__ = ["Store", "files_under"]

_BLOCK = 1 << 20
_ZEROS = bytes(_BLOCK)


class Store:
    """A content-addressed store in a folder; safe for several processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "b3"

    def path_of(self, digest: str) -> Path:
        """Where the blob lies (whether it is there or not)."""
        return Path(self._place_of(digest))

    def _place_of(self, digest: str) -> str:
        value = hex_of(digest)
        return f"{self._blobs}/{value[:2]}/{value[2:]}"

    def has(self, digest: str) -> bool:
        """Whether the blob is there (not whether it is whole: reading tells)."""
        return os.path.isfile(self._place_of(digest))  # noqa: PTH113 each stage asks: as text, three times as fast

    def put_bytes(self, data: bytes) -> str:
        """Keep ``data``; returns its digest. A blob that is already there and whole is left alone."""
        digest = blake3_bytes(data)
        if not self._is_whole(digest):
            publish_bytes(self.path_of(digest), data, mode=0o444)
        return digest

    def put_file(self, source: Path) -> str:
        """Keep a file's bytes; returns their digest. The digest is of the bytes kept, in one pass; where the file
        system can share bytes, nothing is copied."""
        temporary = temporary_beside(self.root / "b3" / "incoming")
        try:
            if source.stat().st_size > _BLOCK and cloned(source, temporary):
                return self._keep(temporary, blake3_file(temporary))
        finally:
            temporary.unlink(missing_ok=True)
        with source.open("rb") as reader:
            return self.put_blocks(iter(lambda: reader.read(_BLOCK), b""))

    def put_blocks(self, blocks: Iterable[bytes]) -> str:
        """Keep the bytes that ``blocks`` gives; returns their digest. If it raises, nothing is kept."""
        from blake3 import blake3

        temporary = temporary_beside(self.root / "b3" / "incoming")
        hasher = blake3()
        try:
            with temporary.open("xb") as writer:
                for block in blocks:
                    hasher.update(block)
                    _write(writer, block)
                writer.truncate()
            return self._keep(temporary, f"b3:{hasher.hexdigest()}")
        finally:
            temporary.unlink(missing_ok=True)

    def _keep(self, temporary: Path, digest: str) -> str:
        if not self._is_whole(digest):
            target = self.path_of(digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.chmod(0o444)
            publish_file(temporary, target)
        return digest

    def get_bytes(self, digest: str) -> bytes:
        """The blob's bytes, verified; raises BlobMissingError or DigestMismatchError."""
        try:
            data = self.path_of(digest).read_bytes()
        except FileNotFoundError:
            raise self._missing(digest) from None
        found = blake3_bytes(data)
        if found != digest:
            raise self._mismatch(digest, found)
        return data

    def open(self, digest: str) -> BinaryIO:
        """The blob opened for reading, after all its bytes were verified through the same descriptor."""
        from blake3 import blake3

        try:
            stream = self.path_of(digest).open("rb")
        except FileNotFoundError:
            raise self._missing(digest) from None
        hasher = blake3()
        while block := stream.read(_BLOCK):
            hasher.update(block)
        found = f"b3:{hasher.hexdigest()}"
        if found != digest:
            stream.close()
            raise self._mismatch(digest, found)
        stream.seek(0)
        return stream

    def checkout(self, digest: str, target: Path, *, executable: bool = False) -> None:
        """Write the blob to ``target``, verified while it streams; ``target`` changes only if all is well."""
        from blake3 import blake3

        temporary = temporary_beside(target)
        hasher = blake3()
        try:
            with self.path_of(digest).open("rb") as reader, temporary.open("xb") as writer:
                while block := reader.read(_BLOCK):
                    hasher.update(block)
                    _write(writer, block)
                writer.truncate()
            found = f"b3:{hasher.hexdigest()}"
            if found != digest:
                raise self._mismatch(digest, found)
            temporary.chmod(0o755 if executable else 0o644)
            temporary.replace(target)
        except FileNotFoundError:
            raise self._missing(digest) from None
        finally:
            temporary.unlink(missing_ok=True)

    def put_tree(self, folder: Path) -> str:
        """Keep a folder (or one file, as a manifest of one entry); returns the manifest's digest."""
        return self.put_bytes(encode_manifest(self.manifest_of(folder, keep=True)))

    def manifest_of(self, folder: Path, *, keep: bool) -> DataManifest:
        """The manifest of a folder or file on disk; with ``keep`` its files enter the store."""
        entries = []
        for path in files_under(folder):
            digest = self.put_file(path) if keep else blake3_file(path)
            status = path.stat()
            name = path.name if path == folder else path.relative_to(folder).as_posix()
            entries.append(
                Entry(path=name, digest=digest, size=status.st_size, executable=bool(status.st_mode & 0o100))
            )
        return DataManifest(entries=tuple(sorted(entries, key=lambda entry: entry.path)))

    def get_tree(self, digest: str) -> DataManifest:
        """The manifest with that digest, verified."""
        return decode_manifest(self.get_bytes(digest))

    def checkout_tree(self, digest: str, folder: Path) -> DataManifest:
        """Write a tree's files under ``folder``, each verified; files that the tree lacks are left alone."""
        manifest = self.get_tree(digest)
        folder.mkdir(parents=True, exist_ok=True)
        for entry in manifest.entries:
            self.checkout(entry.digest, folder / entry.path, executable=entry.executable)
        fsync_dir(folder)
        return manifest

    def verify_tree(self, digest: str) -> DataManifest:
        """Read and verify every blob of a tree; raises at the first that is missing or wrong."""
        manifest = self.get_tree(digest)
        for entry in manifest.entries:
            path = self.path_of(entry.digest)
            if not path.is_file():
                raise self._missing(entry.digest)
            found = blake3_file(path)
            if found != entry.digest:
                raise self._mismatch(entry.digest, found)
        return manifest

    def put_record(self, record: Record) -> str:
        """Keep a record; returns its id."""
        return self.put_bytes(encode(record))

    def get_record(self, digest: str, *, kind: str | None = None) -> Record:
        """The record with that id, verified and, with ``kind``, of that kind."""
        return decode(self.get_bytes(digest), kind=kind)

    def _is_whole(self, digest: str) -> bool:
        path = self.path_of(digest)
        return path.is_file() and blake3_file(path) == digest

    def _missing(self, digest: str) -> BlobMissingError:
        return BlobMissingError(
            f"blob {digest[:15]}… is not in the store",
            where=str(self.root),
            hint="check out a revision whose data you have, or `mintage add` the file again",
        )

    def _mismatch(self, digest: str, found: str) -> DigestMismatchError:
        return DigestMismatchError(
            f"blob {digest[:15]}… does not match its name",
            expected=digest,
            found=found,
            where=str(self.path_of(digest)),
            hint="the file was changed on disk; delete it and run the command that made it again",
        )


def _write(writer: BinaryIO, block: bytes) -> None:
    """Write a block; one of zeros is left as a hole, so that a sparse file stays one."""
    if len(block) == _BLOCK and block == _ZEROS:
        writer.seek(_BLOCK, os.SEEK_CUR)
    else:
        writer.write(block)


def files_under(folder: Path) -> list[Path]:
    """Files of a folder (or the one file), sorted; raises DataError at a symbolic link."""
    if folder.is_symlink():
        raise _link_refused(folder)
    if folder.is_file():
        return [folder]
    found = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink():
                raise _link_refused(path)
        found += [Path(parent, name) for name in files if not name.startswith(".tmp-")]
    return sorted(found)


def _link_refused(path: Path) -> DataError:
    return DataError(
        "symbolic links cannot be versioned", where=str(path), hint="replace the link by the file it points to"
    )
