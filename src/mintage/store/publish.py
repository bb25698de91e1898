"""Publish a file so that a crash at any moment leaves the old one or the new one, never a part.

Write to a temporary name in the same folder, fsync, rename, fsync the folder. Nothing here knows what the bytes are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["fsync_dir", "publish_all", "publish_bytes", "publish_file", "publish_new", "temporary_beside"]


def temporary_beside(path: Path) -> Path:
    """A new name in the folder of ``path`` (which is created) for a file that will be renamed to it."""
    if not os.path.isdir(path.parent):  # noqa: PTH112 mostly it is there, and asking costs a tenth of trying to make it
        path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".tmp-{os.urandom(8).hex()}")


def fsync_dir(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish_file(temporary: Path, path: Path) -> None:
    """Make ``temporary`` durable and rename it to ``path``."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    fsync_dir(path.parent)


def publish_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write ``data`` to ``path`` atomically and durably; ``mode`` is the permission of a new file."""
    _put(path, data, mode=mode)
    fsync_dir(path.parent)


def _put(path: Path, data: bytes, *, mode: int) -> None:
    temporary = temporary_beside(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def publish_all(files: Mapping[Path, bytes]) -> None:
    """As ``publish_bytes`` for files of one folder, which is made durable once, after the last of them."""
    for path, data in files.items():
        _put(path, data, mode=0o644)
    for folder in {path.parent for path in files}:
        fsync_dir(folder)


def publish_new(path: Path, data: bytes, *, mode: int) -> bool:
    """Write ``data`` to ``path`` whole; False if ``path`` is there, which is then left alone. Of two processes that do
    it at once, one wins."""
    temporary = temporary_beside(path)
    publish_bytes(temporary, data, mode=mode)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    fsync_dir(path.parent)
    return True
