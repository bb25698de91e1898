"""The data manifest: what a folder is, file by file, by digest. A single file is a manifest with one entry.

``{"kind": "data", "version": 0, "entries": [{"path", "digest", "size", "executable"}]}``, sorted by path, as canonical
JSON; its BLAKE3 names the folder in locks and records, its SHA-256 in signed statements. Symbolic links are refused.

>>> m = DataManifest(entries=(Entry(path="a.txt", digest="b3:" + "0" * 64, size=3),))
>>> decode_manifest(encode_manifest(m)) == m
True
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import msgspec

from mintage.errors import RecordInvalidError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import parse_digest

__all__ = ["DataManifest", "Entry", "decode_manifest", "encode_manifest", "safe_path"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of a folder: ``path`` relative with ``/``, ``size`` in bytes."""

    path: str
    digest: str
    size: int
    executable: bool = False


class DataManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The files of a folder, sorted by path."""

    entries: tuple[Entry, ...]
    kind: str = "data"
    version: int = 0

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)


_PLAIN = re.compile(r"[A-Za-z0-9_@=-][A-Za-z0-9_@=,.-]*(/[A-Za-z0-9_@=-][A-Za-z0-9_@=,.-]*)*")
"""What most paths look like; the others are looked at part by part."""


def safe_path(path: str) -> str:
    """Return ``path`` if it is relative, clean and inside its folder; the one place where outside paths are checked."""
    if _PLAIN.fullmatch(path):
        return path
    pure = PurePosixPath(path)
    bad = (
        not path
        or pure.is_absolute()
        or path != pure.as_posix()
        or any(part in ("..", ".") for part in pure.parts)
        or "\\" in path
        or any(ord(char) < 32 for char in path)
    )
    if bad:
        raise RecordInvalidError("unsafe path", expected="a relative path inside the folder", found=repr(path[:120]))
    return path


def encode_manifest(manifest: DataManifest) -> bytes:
    """The manifest's canonical bytes."""
    return canonical_bytes(msgspec.to_builtins(manifest))


def decode_manifest(data: bytes) -> DataManifest:
    """Parse and check a manifest; raises RecordInvalidError for unsafe, unsorted or repeated paths."""
    try:
        manifest = msgspec.json.decode(data, type=DataManifest)
    except msgspec.MsgspecError as error:
        raise RecordInvalidError("malformed data manifest", found=str(error)) from error
    if manifest.kind != "data" or manifest.version != 0:
        raise RecordInvalidError(
            "not a data manifest of a known version", expected="data, 0", found=f"{manifest.kind}, {manifest.version}"
        )
    paths = [safe_path(entry.path) for entry in manifest.entries]
    if paths != sorted(set(paths)):
        raise RecordInvalidError("paths of a data manifest are not sorted and unique")
    for entry in manifest.entries:
        parse_digest(entry.digest)
    return manifest
