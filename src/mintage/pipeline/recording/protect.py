"""Close the user's project off for writing while a stage is recorded (Landlock, Linux 5.13 or later; no privileges).

``closing(protected, writable)`` gives a function for the child to call just before it becomes the command, or None
where the kernel cannot do it. From then on neither the command nor what it starts can write, make or delete anything
under ``protected``, by whatever path or link; ``writable`` folders inside are excepted, and the rest of the machine
stays as it was. Only directly in a folder above a protected one can no new entry be made.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mintage.pipeline.confine import _Beneath, _Ruleset

__all__ = ["closing", "hide_from_thread", "is_possible"]

_CREATE, _ADD, _RESTRICT, _NO_NEW_PRIVS = 444, 445, 446, 38
_WRITES = 1 << 1 | 0b1_1111_1111 << 4  # WRITE_FILE; REMOVE_* and MAKE_*
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
_ON_FILES = 1 << 1 | _READ_FILE | _TRUNCATE


def is_possible() -> bool:
    """Whether this kernel can do it, moving files between folders included."""
    return _version() >= 3


@contextlib.contextmanager
def closing(protected: Sequence[Path], *, writable: Sequence[Path]) -> Iterator[Callable[[], None] | None]:
    """The function that closes the calling process off; its rules are made here, before any process starts."""
    if not is_possible():
        yield None
        return
    libc = ctypes.CDLL(None, use_errno=True)
    handled = _WRITES | _REFER | _TRUNCATE
    ruleset = libc.syscall(_CREATE, ctypes.byref(_Ruleset(handled, 0, 0)), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        yield None
        return
    try:
        shut = {path.resolve() for path in protected}
        above = {str(parent) for path in shut for parent in path.parents}
        for path in (*_around("/", set(map(str, shut)), above), *map(str, writable)):
            _allow(libc, ruleset, path, handled)
        yield lambda: _close(libc, ruleset)
    finally:
        os.close(ruleset)


def hide_from_thread(hidden: Sequence[Path], *, readable: Sequence[Path]) -> bool:
    """Keep the calling thread, and all that it starts from now on, from reading anything under ``hidden`` but what is
    ``readable``; returns whether this kernel can. The folders above cannot be listed either."""
    shut = {path.resolve() for path in hidden if path.is_dir()}
    if not shut or not is_possible():
        return not shut
    libc = ctypes.CDLL(None, use_errno=True)
    handled = _READ_FILE | _READ_FOLDER | _REFER
    ruleset = libc.syscall(_CREATE, ctypes.byref(_Ruleset(handled, 0, 0)), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    try:
        above = {str(parent) for path in shut for parent in path.parents}
        for path in (*_around("/", set(map(str, shut)), above), *map(str, readable)):
            _allow(libc, ruleset, path, handled)
        _close(libc, ruleset)
    finally:
        os.close(ruleset)
    return True


def _close(libc: ctypes.CDLL, ruleset: int) -> None:
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.syscall(_RESTRICT, ruleset, 0) != 0:
        raise OSError(ctypes.get_errno(), "the project could not be closed off")


def _version() -> int:
    if sys.platform != "linux":
        return 0
    return int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), 1))


def _around(folder: str, shut: set[str], above: set[str]) -> Iterator[str]:
    """``folder`` without the paths of ``shut``, which lie in the folders ``above``: as few paths as cover the rest.

    A folder above may hold thousands of entries, so paths are plain texts here.
    """
    if folder in shut:
        return
    if folder not in above:
        yield folder
        return
    with contextlib.suppress(PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_symlink():
                yield from _around(entry.path, shut, above)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, handled: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # gone, or not ours to open: then not ours to write either
    allowed = handled if stat.S_ISDIR(os.fstat(parent).st_mode) else handled & _ON_FILES
    libc.syscall(_ADD, ruleset, 1, ctypes.byref(_Beneath(allowed, parent)), 0)
    os.close(parent)
