"""The spool: an append-only file that holds each logged prediction before it is acknowledged.

A segment is a file of lines, each the CRC-32 of a payload in eight hex digits, a space, the payload, a newline. What
``append`` returned from is in the kernel's page cache: it survives the end of the process, kill -9 included; ``sync``
makes it survive the machine. A last line without its newline was never acknowledged and is not a line. A damaged line
is counted and skipped. The spool knows nothing of what a payload means. See docs/spec/prediction-log.md.
"""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

from mintage.store.publish import fsync_dir

__all__ = ["SEGMENT_SUFFIX", "Segment", "read_segment", "segments"]

SEGMENT_SUFFIX = ".spool"


class Segment:
    """One open segment of a spool folder, for one writing thread at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{uuid.uuid4()}{SEGMENT_SUFFIX}"
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size = 0
        fsync_dir(folder)

    def append(self, payload: bytes) -> None:
        """Write one payload (without newlines) as a whole line, or raise OSError with the segment as it was before."""
        line = b"%08x %b\n" % (zlib.crc32(payload), payload)
        written = 0
        try:
            while written < len(line):
                written += os.write(self._descriptor, line[written:] if written else line)
        except OSError:
            if written:
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(line)

    def sync(self) -> None:
        """Make all that was appended survive a power cut."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            os.close(self._descriptor)


def segments(folder: Path) -> list[Path]:
    """The segments of a spool folder, which need not exist."""
    return sorted(folder.glob(f"*{SEGMENT_SUFFIX}"))


def read_segment(path: Path) -> Iterator[bytes | None]:
    """The payloads of a segment in order, None in the place of each damaged line."""
    with path.open("rb") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                return
            checksum, _, payload = line[:-1].partition(b" ")
            yield payload if checksum == b"%08x" % zlib.crc32(payload) else None
