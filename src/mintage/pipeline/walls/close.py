"""Close everything off for a process but what is ``opened``, by Landlock (Linux 6.2). No privileges are needed.

``walled`` gives a function for the child to call just before it becomes the command; its rules are made before, in this
process. They hold for all that the command starts, and cannot be taken back. Not closed: whether a path exists, its
size and times; the network (``offline``); memory and processor time.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import stat
from collections.abc import Callable, Iterator
from typing import Any, Literal

from mintage.pipeline.confine import _Beneath, _Ruleset
from mintage.pipeline.recording.protect import is_possible
from mintage.pipeline.walls.opened import Opened
from mintage.pipeline.walls.root import can_root

__all__ = ["NOT_ENFORCED", "walled", "way"]

NOT_ENFORCED = "not enforced on this machine (Linux with Landlock or mount namespaces could): absolute paths stay open"

_CREATE, _ADD, _RESTRICT, _NO_NEW_PRIVS, _PDEATHSIG = 444, 445, 446, 38, 1
_EXECUTE, _WRITE, _READ, _LIST, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_ALL = (1 << 15) - 1  # of version 3; ioctl on devices stays free, which GPUs need
_ON_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE


@functools.cache
def way() -> Literal["landlock", "namespace", "none"]:
    """How stages are closed off on this machine: by Landlock, or in a root folder of their own (``root``)."""
    if is_possible():
        return "landlock"
    return "namespace" if can_root() else "none"


@contextlib.contextmanager
def walled(open_to_it: Opened, hide: Callable[[], tuple[str, ...]] | None = None) -> Iterator[Callable[[], None]]:
    """The function that closes the calling process off. It calls ``hide`` first, which gives folders that are its own
    since."""
    libc = ctypes.CDLL(None, use_errno=True)
    ruleset = libc.syscall(_CREATE, ctypes.byref(_Ruleset(_ALL, 0, 0)), ctypes.c_size_t(8), 0)
    if ruleset < 0:
        raise OSError(ctypes.get_errno(), "no rules for the sandbox could be made")
    try:
        for path in open_to_it.read:
            _allow(libc, ruleset, path, _EXECUTE | _READ | _LIST)
        for path in open_to_it.write:
            _allow(libc, ruleset, path, _ALL)
        yield lambda: _close(libc, ruleset, hide)
    finally:
        os.close(ruleset)


def _close(libc: Any, ruleset: int, hide: Callable[[], tuple[str, ...]] | None) -> None:
    for path in hide() if hide is not None else ():
        _allow(libc, ruleset, path, _ALL)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.syscall(_RESTRICT, ruleset, 0) != 0:
        raise OSError(ctypes.get_errno(), "the stage could not be closed off")
    libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _allow(libc: Any, ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there, so nothing to open
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(beneath).st_mode) else rights & _ON_FILES
        if libc.syscall(_ADD, ruleset, 1, ctypes.byref(_Beneath(allowed, beneath)), 0) != 0:
            raise OSError(ctypes.get_errno(), "a rule of the sandbox could not be made", path)
    finally:
        os.close(beneath)
