"""The kernel's word on which files are opened, read and written in some folders: inotify, through ctypes. Linux only.

It sees every program and library, native readers and memory maps included, and costs little: the kernel joins equal
events in a row. When its queue runs over, ``overflowed`` says so; nothing then can be said of what was not seen.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal

__all__ = ["Change", "Watcher"]

Change = Literal["read", "write", "opened-to-write", "moved-away", "deleted", "listed"]

_ACCESS, _MODIFY, _CLOSE_WRITE, _CLOSE_NOWRITE, _OPEN = 0x1, 0x2, 0x8, 0x10, 0x20
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_OVERFLOW, _FOLDER, _ONLY_FOLDERS = 0x4000, 0x40000000, 0x01000000
_MASK = _ACCESS | _MODIFY | _CLOSE_WRITE | _CLOSE_NOWRITE | _OPEN | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_CHANGES: tuple[tuple[int, Change], ...] = (
    (_ACCESS | _CLOSE_NOWRITE, "read"),
    (_MODIFY | _MOVED_TO | _CREATE, "write"),
    (_CLOSE_WRITE, "opened-to-write"),
    (_MOVED_FROM, "moved-away"),
    (_DELETE, "deleted"),
)
_HEAD = struct.Struct("iIII")
_BLOCK = 1 << 20


class Watcher:
    """Watches folders while its block runs; ``events`` then has (watch, name, change), equal ones in a row once."""

    def __init__(self, folders: list[Path]) -> None:
        self.events: list[tuple[int, str, Change]] = []
        self.overflowed = False
        self.watches: dict[int, Path] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._queue < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._stop_read, self._stop_write = os.pipe2(os.O_CLOEXEC)
        try:
            self._add(folders)
        except OSError:
            self._close()
            raise

    @classmethod
    def over(cls, folders: list[Path]) -> Watcher | None:
        """A watcher of ``folders``; None where the system cannot do it, or has no watches left."""
        if sys.platform != "linux":
            return None
        try:
            return cls(folders)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EMFILE, errno.ENOMEM, errno.ENOSYS):
                return None
            raise

    def __enter__(self) -> Watcher:
        self._thread = threading.Thread(target=self._follow, name="recording", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        self._drain()
        self._close()

    def _add(self, folders: list[Path]) -> None:
        for folder in folders:
            watch = self._libc.inotify_add_watch(self._queue, os.fsencode(folder), _MASK | _ONLY_FOLDERS)
            if watch < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", str(folder))
            self.watches[watch] = folder

    def _close(self) -> None:
        for descriptor in (self._queue, self._stop_read, self._stop_write):
            os.close(descriptor)

    def _follow(self) -> None:
        while True:
            ready, _, _ = select.select([self._queue, self._stop_read], [], [])
            self._drain()
            if self._stop_read in ready:
                return

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while block := os.read(self._queue, _BLOCK):
                self._parse(block)

    def _parse(self, block: bytes) -> None:
        place, last = 0, None
        while place < len(block):
            watch, mask, _, size = _HEAD.unpack_from(block, place)
            start, place = place + _HEAD.size, place + _HEAD.size + size
            name = block[start:place]
            if (watch, mask, name) == last:
                continue
            last = (watch, mask, name)
            if mask & _OVERFLOW:
                self.overflowed = True
                continue
            text = os.fsdecode(name.rstrip(b"\0"))
            for change in _changes(mask):
                event = (watch, text, change)
                if not self.events or self.events[-1] != event:
                    self.events.append(event)


def _changes(mask: int) -> Iterator[Change]:
    if mask & _FOLDER:
        if mask & _OPEN:
            yield "listed"
        return
    for bits, change in _CHANGES:
        if mask & bits:
            yield change
