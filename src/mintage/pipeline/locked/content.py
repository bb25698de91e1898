"""What is in a built environment: its files by stat, and whether they are what the wheels' RECORDs say.

Byte code is left out: Python writes it when it likes.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["changed_files", "listing", "spoilt_files"]

_SHOWN = 5


def listing(home: Path) -> str:
    """Every file and link below ``home`` with what tells a change of it or of what it leads to; a line each, sorted."""
    lines = []
    for path, entry in _files(home):
        said = [path, str(Path(entry.path).readlink())] if entry.is_symlink() else [path]
        with contextlib.suppress(OSError):  # what a link leads to may be gone
            if entry.is_file():
                said += [str(entry.stat().st_size), str(entry.stat().st_mtime_ns)]
        lines.append("\t".join(said))
    return "\n".join(sorted(lines)) + "\n"


def changed_files(before: str, after: str) -> list[str]:
    """The paths that differ between two listings. Pure.

    >>> changed_files("a\\t1\\t1\\nb\\t1\\t1\\n", "a\\t2\\t1\\nc\\t1\\t1\\n")
    ['a', 'b', 'c']
    """
    return sorted({line.partition("\t")[0] for line in set(before.splitlines()) ^ set(after.splitlines())})


def spoilt_files(home: Path, folders: tuple[str, ...]) -> list[str]:
    """The first few files of packages in ``folders`` below ``home`` that are not what their package's RECORD says."""
    found: list[str] = []
    for folder in folders:
        base = Path(folder)
        if not base.is_relative_to(home) or not base.is_dir():
            continue
        for record in sorted(base.glob("*.dist-info/RECORD")):
            with record.open(newline="", errors="replace") as stream:
                for row in csv.reader(stream):
                    if len(row) == 3 and not _is_kept(base / row[0], row[1]):
                        found.append(os.path.relpath(base / row[0], home))
                    if len(found) >= _SHOWN:
                        return found
    return found


def _is_kept(path: Path, digest: str) -> bool:
    kind, found, value = digest.partition("=")
    if not found or kind != "sha256" or path.suffix == ".pyc":
        return True
    try:
        with path.open("rb") as stream:
            made = hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode() == value


def _files(home: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(home / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        folders.append(path)
                else:
                    yield path, entry
