"""What a signed folder consists of: its regular files, by name and digest (OpenSSF Model Signing v1.0, section 6).

Symbolic links, devices and names that are unsafe or not UTF-8 are refused, never followed or skipped. As the
specification demands, Git's own files at the top of the folder are left out, and so is the signature itself.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
from blake3 import blake3

from mintage.errors import ModelFolderError, RecordInvalidError
from mintage.record.digest import sha256_bytes
from mintage.record.manifest import safe_path

__all__ = ["GIT_PATHS", "SIGNATURE_FILE", "Algorithm", "Resource", "folder_files", "model_resources", "root_digest"]

SIGNATURE_FILE = "model.sig"
GIT_PATHS = (".git", ".gitattributes", ".github", ".gitignore")
Algorithm = Literal["sha256", "blake2b", "blake3"]
_BLOCK = 1 << 20
_HASHERS: dict[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b, "blake3": blake3}


class Resource(msgspec.Struct, frozen=True):
    """One file: its path in the folder and the lower-case hex of its digest."""

    name: str
    digest: str
    algorithm: Algorithm = "sha256"


def model_resources(
    folder: Path, *, ignore: Collection[str] = (SIGNATURE_FILE,), algorithm: Algorithm = "sha256"
) -> list[Resource]:
    """The files of ``folder`` without ``ignore`` and Git's own, sorted by name in code point order.

    Raises ModelFolderError for what cannot be signed, and for a folder without any file.
    """
    resources = [
        Resource(name=name, digest=_digest(path, algorithm), algorithm=algorithm)
        for name, path in folder_files(folder, ignore=ignore)
    ]
    if not resources:
        raise ModelFolderError("the folder has no files", expected="a model's files", where=str(folder))
    return resources


def root_digest(resources: Iterable[Resource]) -> str:
    """SHA-256 over the concatenated raw digests in the given order (section 6.5.1): the model's id."""
    return sha256_bytes(b"".join(bytes.fromhex(resource.digest) for resource in resources))


def folder_files(folder: Path, *, ignore: Collection[str]) -> list[tuple[str, Path]]:
    """Name and path of each file, sorted by name; raises ModelFolderError for links, devices and unsafe names."""
    if folder.is_symlink() or not folder.is_dir():
        raise ModelFolderError("not a folder", expected="the folder of a model", where=str(folder))
    try:
        return sorted(_walk(folder, "", frozenset((*ignore, *GIT_PATHS))))
    except OSError as error:
        raise ModelFolderError("the folder cannot be read", found=str(error), where=str(folder)) from error


def _walk(folder: Path, prefix: str, ignore: frozenset[str]) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if name in ignore:
                continue
            path = Path(entry.path)
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _walk(path, f"{name}/", ignore)
            elif stat.S_ISREG(mode):
                yield _checked(name, path), path
            else:
                kind = "a symbolic link" if stat.S_ISLNK(mode) else "a device, pipe or socket"
                raise ModelFolderError(
                    "the folder holds something that is no regular file",
                    found=kind,
                    where=str(path),
                    hint="replace it by the file itself, or delete it",
                )


def _checked(name: str, path: Path) -> str:
    try:
        name.encode()
        return safe_path(name)
    except (UnicodeEncodeError, RecordInvalidError) as error:
        raise ModelFolderError(
            "a file's name cannot be signed",
            expected="UTF-8 without control characters and backslashes",
            found=ascii(name),
            where=ascii(str(path)),
            hint="rename the file",
        ) from error


def _digest(path: Path, algorithm: Algorithm) -> str:
    hasher = _HASHERS[algorithm]()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            hasher.update(block)
    return str(hasher.hexdigest())
