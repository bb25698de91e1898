"""Look into a file for pickles: bare, compressed, in a ZIP archive, behind an array of NumPy's. Nothing is opened.

``scan_file`` returns what it found, None of a file that holds none. A file whose name or first bytes say that it is one
and that cannot be followed has ``problems``: what is not understood is not let in. So has one that readers understand
in two ways: bytes after the end, an archive with something before it or with two entries of one name.

>>> import pickle
>>> scan_file("model.pkl", pickle.dumps({"a": 1}))
Scan(names=(), problems=())
>>> scan_file("rows.csv", b"customer,age\\n1,2\\n") is None
True
"""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from mintage.certify.pickles.machine import Reading, UnreadableError, read_pickle

__all__ = ["MOST_BYTES", "Scan", "ScannedFiles", "scan_file"]

MOST_BYTES = 1 << 30
_MOST_DEPTH, _MOST_ENTRIES, _PIECE = 4, 10_000, 1 << 16
_ENDINGS = frozenset(["pkl", "pickle", "joblib", "sav", "dill", "pt", "pth"])
_DATA = (b"PAR1", b"ARROW1", b"%PDF")
"""Beginnings of files that are no pickles, and that an unpickler stops at."""
_ERRORS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, KeyError)
_HEAD_ERRORS = (*_ERRORS, SyntaxError, TypeError, tokenize.TokenError)


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The globals that a file's pickles name, sorted, and what about them cannot be followed."""

    names: tuple[str, ...]
    problems: tuple[str, ...]


class ScannedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """How many ``files`` were looked at, and what was found by the path of each that holds pickles."""

    files: int
    scans: dict[str, Scan]


def scan_file(path: str, data: bytes, *, sure: bool = False) -> Scan | None:
    """What the pickles in a file name; ``sure`` says that somebody loads it as a fitted model."""
    names: set[str] = set()
    problems: list[str] = []
    held = _look(path, data, names, problems, sure=sure, depth=0)
    return Scan(names=tuple(sorted(names)), problems=tuple(dict.fromkeys(problems))) if held or problems else None


def _look(path: str, data: bytes, names: set[str], problems: list[str], *, sure: bool, depth: int) -> bool:
    """Whether there is a pickle in it."""
    if depth > _MOST_DEPTH:
        problems.append("archives within archives, too deep to follow")
        return True
    named = path.rpartition("/")[2].rpartition(".")[2].lower() in _ENDINGS
    opener = next((opener for head, opener in _COMPRESSED.items() if data.startswith(head)), None)
    if data.startswith(_DATA) and not named:
        return False
    if data.startswith(b"PK") or (not data.startswith(b"\x80") and _ends_as_zip(data)):
        return _archive(path, data, names, problems, depth=depth)
    if data.startswith(b"\x93NUMPY"):
        return _array(data, names, problems)
    if data.startswith(b"\x04\x22\x4d\x18"):
        problems.append("it is compressed by lz4, which is not looked into")
        return True
    if opener is not None:
        inner, problem = _unpacked(opener, data)
        held = _look(path, inner, names, problems, sure=sure, depth=depth + 1) or named
        if problem is not None and held:
            problems.append(problem)
        return held
    if named or (len(data) > 1 and data[0] == 0x80 and data[1] <= 5):
        _pickles(data, names, problems, persistent=False)
        return True
    return _plain(data, names, problems, sure=sure)


def _pickles(data: bytes, names: set[str], problems: list[str], *, persistent: bool) -> None:
    """All pickles one after another: a reader may go on after the first."""
    found, start = Reading(), 0
    try:
        while start < len(data):
            start = read_pickle(data, found, start=start, persistent=persistent)
    except UnreadableError as error:
        problems.append(str(error) if start == 0 else f"bytes after its end: {error}")
    if found.wrapped:  # pickle.load reads as opcodes what joblib.load skips
        with contextlib.suppress(UnreadableError):
            read_pickle(data, found, skip_arrays=False)
    names |= found.names


def _plain(data: bytes, names: set[str], problems: list[str], *, sure: bool) -> bool:
    """Pickles of the old, textual kind have no first bytes of their own: it is one if it calls something by a name."""
    found = Reading()
    try:
        read_pickle(data, found)
    except UnreadableError:
        if not found.calls or not all(_is_name(name) for name in found.names):
            return False
        problems.append("it breaks off")
    else:
        if not found.names and not sure:
            return False
    names |= found.names
    return True


def _is_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _unpacked(maker: Callable[[], Any], data: bytes) -> tuple[bytes, str | None]:
    """All that comes out, member after member, before something is wrong; and what that is."""
    parts, size, rest = [], 0, data
    while rest:
        unpacker, place = maker(), 0
        try:
            while not unpacker.eof and place < len(rest):
                parts.append(unpacker.decompress(rest[place : place + _PIECE]))
                size, place = size + len(parts[-1]), place + _PIECE
                if size > MOST_BYTES:
                    return b"".join(parts)[:MOST_BYTES], f"it holds more than {MOST_BYTES:,} bytes"
        except _ERRORS as error:
            return b"".join(parts), f"it cannot be unpacked to its end: {str(error)[:100]}"
        if not unpacker.eof:
            return b"".join(parts), "what is compressed breaks off"
        rest = unpacker.unused_data + rest[place:]
    return b"".join(parts), None


def _ends_as_zip(data: bytes) -> bool:
    return b"PK\x05\x06" in data[-66_000:] and zipfile.is_zipfile(io.BytesIO(data))


def _archive(path: str, data: bytes, names: set[str], problems: list[str], *, depth: int) -> bool:
    """Each entry by its content; an archive that is read in two ways is a problem whatever it holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            strange = _strange(data, entries)
            held = [_entry(archive, entry, names, problems, depth=depth) for entry in entries[:_MOST_ENTRIES]]
    except _ERRORS as error:
        problems.append(f"the archive cannot be read: {str(error)[:100]}")
        return True
    if strange and (any(held) or path.rpartition(".")[2].lower() in _ENDINGS):
        problems.append(strange)
    return any(held)


def _strange(data: bytes, entries: list[zipfile.ZipInfo]) -> str | None:
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        return "the archive is too large to look into"
    if len({entry.filename for entry in entries}) != len(entries):
        return "the archive has two entries of one name"
    if entries and min(entry.header_offset for entry in entries) != 0:
        return "something stands before the archive"
    return None


def _entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, names: set[str], problems: list[str], *, depth: int
) -> bool:
    if entry.is_dir() or entry.file_size > MOST_BYTES:
        return False
    data = archive.read(entry)
    if entry.filename.endswith("data.pkl"):  # of torch.save, whose tensors are persistent ids
        _pickles(data, names, problems, persistent=True)
        return True
    inner: list[str] = []
    held = _look(entry.filename, data, names, inner, sure=False, depth=depth + 1)
    problems += [f"{entry.filename}: {problem}" for problem in inner]
    return held


def _array(data: bytes, names: set[str], problems: list[str]) -> bool:
    """An array of objects is a pickle behind a head."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, dtype = read(stream)
    except _HEAD_ERRORS as error:
        problems.append(f"the head of an array cannot be read: {str(error)[:100]}")
        return True
    if dtype.hasobject:
        _pickles(data[stream.tell() :], names, problems, persistent=False)
    return bool(dtype.hasobject)


_COMPRESSED: dict[bytes, Callable[[], Any]] = {
    **dict.fromkeys((b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), lambda: zlib.decompressobj(47)),
    b"BZh": bz2.BZ2Decompressor,
    **dict.fromkeys((b"\xfd7zXZ\x00", b"\x5d\x00\x00"), lzma.LZMADecompressor),
}
