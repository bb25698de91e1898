"""The kernel's word on which files are opened, read and written in some folders: inotify, through ctypes. Linux only.

It sees every program and library, native readers and memory maps included. It costs little: the kernel joins equal
events in a row, its queue is emptied two hundred times a second, and an event that came before is dropped. When the
queue runs over, ``overflowed`` says so; nothing then can be said of what was not seen.
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
_PAUSE_S = 0.005


class Watcher:
    """Watches folders from when it is made to the end of its block; ``events`` then has (watch, name, change) in order,
    each the first time. Call ``follow`` once the watched process runs: a process should be started by one with a single
    thread, and until then the kernel keeps the events."""

    def __init__(self, folders: list[Path]) -> None:
        self.events: list[tuple[int, str, Change]] = []
        self.overflowed = False
        self.watches: dict[int, Path] = {}
        self._seen: set[bytes] = set()
        self._thread: threading.Thread | None = None
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
        return self

    def follow(self) -> None:
        """Take the events from the kernel, in a thread of its own."""
        self._thread = threading.Thread(target=self._follow, name="recording", daemon=True)
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            os.write(self._stop_write, b"x")
            self._thread.join()
        self._drain()
        self._seen.clear()
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
        stopped = False
        while not stopped:
            select.select([self._queue, self._stop_read], [], [])
            self._drain()
            stopped = bool(select.select([self._stop_read], [], [], _PAUSE_S)[0])

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while block := os.read(self._queue, _BLOCK):
                self._parse(block)

    def _parse(self, block: bytes) -> None:
        place = 0
        while place < len(block):
            start = place
            place += _HEAD.size + int.from_bytes(block[start + 12 : start + 16], sys.byteorder)
            event = block[start:place]
            if event in self._seen:
                continue
            self._seen.add(event)
            watch, mask, _, _ = _HEAD.unpack_from(event)
            if mask & _OVERFLOW:
                self.overflowed = True
                continue
            name = os.fsdecode(event[_HEAD.size :].rstrip(b"\0"))
            self.events += [(watch, name, change) for change in _changes(mask)]


def _changes(mask: int) -> Iterator[Change]:
    if mask & _FOLDER:
        if mask & _OPEN:
            yield "listed"
        return
    for bits, change in _CHANGES:
        if mask & bits:
            yield change
