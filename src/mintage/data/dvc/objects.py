"""Bring DVC's objects into the store: found in a cache or a folder remote, checked against their MD5 on the way in.

Both layouts are read: ``files/md5/ab/cdef…`` of DVC 3 and ``ab/cdef…`` before. One pass reads a file, hashes it with
MD5 and BLAKE3 and writes it; a file whose MD5 differs never enters the store. A folder is a list of members in JSON,
by MD5 too; its paths are checked like any from outside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mintage.data.dvc.outs import Out
from mintage.errors import DigestMismatchError, RecordInvalidError
from mintage.record.manifest import DataManifest, Entry, encode_manifest, safe_path
from mintage.store.local import Store

__all__ = ["Bringer", "Brought", "md5_of_file"]

_BLOCK = 1 << 20
_LIST_LIMIT = 1 << 30


class Brought(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object in our store: the digest of its bytes, or of its data manifest if it is a folder."""

    digest: str
    size: int
    folder: bool = False


class _Member(msgspec.Struct, frozen=True):
    """A line of a ``.dir`` object."""

    relpath: str
    md5: str


class _FaultError(Exception):
    """Why an object cannot be had; ends in ``Bringer.faults``."""


@dataclass(kw_only=True)
class Bringer:
    """Brings objects in, each once. ``faults`` says why an object could not be had, by its name."""

    store: Store
    folders: Sequence[Path]
    known: dict[str, Brought] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    advance: Callable[[int], None] = lambda _: None

    def bring(self, out: Out, *, beside: Path | None = None) -> Brought | None:
        """The object of ``out`` in the store, or None with a fault. ``beside`` is where the work tree may hold it."""
        if out.name is None:
            return None
        known = self.known.get(out.name)
        if known is not None and self._is_held(known):
            return known
        try:
            if out.folder:
                found = self._folder(out.name, legacy=out.legacy, beside=beside)
            else:
                found = self._file(out.name, legacy=out.legacy, beside=beside)
        except _FaultError as fault:
            self.faults[out.name] = str(fault)
            return None
        self.known[out.name] = found
        self.faults.pop(out.name, None)
        return found

    def _is_held(self, known: Brought) -> bool:
        return self.store.has(known.digest) and (
            not known.folder or all(self.store.has(entry.digest) for entry in self.store.get_tree(known.digest).entries)
        )

    def _file(self, name: str, *, legacy: bool, beside: Path | None) -> Brought:
        known = self.known.get(name)
        if known is not None and self.store.has(known.digest):
            return known
        corrupt = False
        for path in self._candidates(name, legacy=legacy, beside=beside):
            try:
                digest = self.store.put_blocks(_checked(path, name, legacy=legacy))
            except DigestMismatchError:
                corrupt = corrupt or path != beside
                continue
            size = path.stat().st_size
            self.advance(size)
            self.known[name] = Brought(digest=digest, size=size)
            return self.known[name]
        raise _FaultError("corrupt: its bytes have another MD5" if corrupt else "missing")

    def _folder(self, name: str, *, legacy: bool, beside: Path | None) -> Brought:
        entries = {}
        for member in self._members(name, legacy=legacy):
            try:
                path = safe_path(member.relpath)
            except RecordInvalidError:
                raise _FaultError(f"unsafe: it names the path {member.relpath[:80]!r}") from None
            try:
                found = self._file(member.md5, legacy=legacy, beside=beside / path if beside else None)
            except _FaultError as fault:
                raise _FaultError(f"{fault} (its file {path}, {member.md5})") from None
            entries[path] = Entry(path=path, digest=found.digest, size=found.size)
        manifest = DataManifest(entries=tuple(entries[path] for path in sorted(entries)))
        return Brought(digest=self.store.put_bytes(encode_manifest(manifest)), size=manifest.size, folder=True)

    def _members(self, name: str, *, legacy: bool) -> list[_Member]:
        corrupt = False
        for path in self._candidates(name, legacy=legacy, beside=None):
            if path.stat().st_size > _LIST_LIMIT:
                raise _FaultError("too large: its list of files has over 1 GiB")
            data = path.read_bytes()
            if hashlib.md5(data, usedforsecurity=False).hexdigest() != name.removesuffix(".dir"):
                corrupt = True
                continue
            try:
                members = msgspec.json.decode(data, type=list[_Member])
            except msgspec.MsgspecError as error:
                raise _FaultError(f"malformed: {error}") from None
            if all(len(member.md5) == 32 and member.md5.isalnum() for member in members):
                return members
            raise _FaultError("malformed: a member has no MD5")
        raise _FaultError("corrupt: its bytes have another MD5" if corrupt else "missing")

    def _candidates(self, name: str, *, legacy: bool, beside: Path | None) -> Iterator[Path]:
        """Files that may hold the object, the likeliest first; links are followed, as a cache may be made of them."""
        layouts = ("", "files/md5") if legacy else ("files/md5", "")
        for folder in self.folders:
            for layout in layouts:
                path = folder / layout / name[:2] / name[2:]
                if path.is_file():
                    yield path
        if beside is not None and beside.is_file():
            yield beside


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def _checked(path: Path, name: str, *, legacy: bool) -> Iterator[bytes]:
    """The blocks of a file; raises DigestMismatchError after the last one if they are not what ``name`` says.

    DVC before 3 took the MD5 of a text file with its carriage returns left out, block by block of 1 MiB.
    """
    plain = hashlib.md5(usedforsecurity=False)
    unix = hashlib.md5(usedforsecurity=False)
    for block in _blocks(path):
        plain.update(block)
        if legacy:
            unix.update(block.replace(b"\r\n", b"\n"))
        yield block
    if name not in (plain.hexdigest(), unix.hexdigest() if legacy else ""):
        raise DigestMismatchError("a DVC object does not match its name", expected=name, found=plain.hexdigest())


def md5_of_file(path: Path, *, legacy: bool) -> tuple[str, ...]:
    """The MD5 names that DVC may have given a file's bytes."""
    plain = hashlib.md5(usedforsecurity=False)
    unix = hashlib.md5(usedforsecurity=False)
    for block in _blocks(path):
        plain.update(block)
        unix.update(block.replace(b"\r\n", b"\n"))
    return (plain.hexdigest(), unix.hexdigest()) if legacy else (plain.hexdigest(),)
