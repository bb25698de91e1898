"""A folder of files that can be made again, verified when read; those not used for long go when there is too much.

A file is the BLAKE3 digest of its name and content, a line end, and the content. One that is damaged, or was renamed,
is as if it were not there. Reading one makes it the latest used; ``prune`` deletes those used longest ago. Nothing here
is shared with others, and nothing is lost with the folder but time.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from blake3 import blake3

from mintage.store.publish import publish_bytes

__all__ = ["KeptFiles"]


class KeptFiles:
    """``folder``; with ``fresh`` nothing is found in it, and what is put replaces what was there."""

    def __init__(self, folder: Path, *, most_bytes: int, fresh: bool = False) -> None:
        self._folder, self._most_bytes, self._fresh = folder, most_bytes, fresh

    def get(self, name: str) -> bytes | None:
        """The content that was put under ``name``; None if there is none, or it is not whole."""
        path = self._path(name)
        try:
            data = b"" if self._fresh else path.read_bytes()
        except OSError:
            return None
        head, _, content = data.partition(b"\n")
        if head != _digest(name, content):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def put(self, name: str, content: bytes) -> None:
        """Keep ``content``, whole or not at all; a disk that is full keeps nothing, and is no error."""
        with contextlib.suppress(OSError):
            publish_bytes(self._path(name), _digest(name, content) + b"\n" + content)

    def prune(self) -> None:
        """Delete what was used longest ago, until the rest fits."""
        found = []
        for path in self._folder.rglob("*") if self._folder.is_dir() else ():
            with contextlib.suppress(OSError):
                if path.is_file():
                    status = path.stat()
                    found.append((status.st_mtime_ns, status.st_size, path))
        kept = 0
        for _, size, path in sorted(found, key=lambda item: -item[0]):
            kept += size
            if kept > self._most_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _path(self, name: str) -> Path:
        """``name`` is a digest ``b3:<hex>``."""
        digits = name.partition(":")[2]
        return self._folder / digits[:2] / digits[2:]


def _digest(name: str, content: bytes) -> bytes:
    return blake3(name.encode() + b"\n" + content).hexdigest().encode()
