"""End what a command left running: processes in its group, and daemons that left the group. Linux; elsewhere nothing.

They are known by a variable that only this command's processes have in their environment. One that wipes its
environment and moves to a session of its own is not found. Those about to end by themselves get a moment to.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["end_leftovers"]

_PATIENCE_S = 2.0
_BLOCK = 256 << 10


def end_leftovers(marker: str, *, grace_s: float) -> tuple[str, ...]:
    """End every process whose environment has ``marker`` (``NAME=value``) after ``grace_s``; returns their programs."""
    if sys.platform != "linux":
        return ()
    with contextlib.ExitStack() as handles:
        left = dict(_marked(marker.encode(), handles))
        _wait(left, grace_s)
        names = tuple(sorted(left.values()))
        for number in (signal.SIGTERM, signal.SIGKILL):
            for handle in left:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
            _wait(left, _PATIENCE_S)
    return names


def _marked(marker: bytes, handles: contextlib.ExitStack) -> Iterator[tuple[int, str]]:
    """A handle of each process with the mark, which stays its own whatever becomes of its number, and its program."""
    own = str(os.getpid())
    for number in os.listdir("/proc"):  # noqa: PTH208 as text: all processes of the machine are looked at after each stage
        if not number.isdecimal() or number == own or not _has(marker, number):
            continue
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(int(number))
            handles.callback(os.close, handle)
            if _has(marker, number):  # and still has it, now that the number cannot become another's
                yield handle, Path(f"/proc/{number}/comm").read_text().strip()


def _has(marker: bytes, number: str) -> bool:
    try:
        descriptor = os.open(f"/proc/{number}/environ", os.O_RDONLY)
    except OSError:  # it ended, or is another user's
        return False
    text = b""
    try:
        while block := os.read(descriptor, _BLOCK):
            text += block
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return marker in text and marker in text.split(b"\0")


def _wait(left: dict[int, str], seconds: float) -> None:
    """Take out of ``left`` those that end in time."""
    deadline = time.monotonic() + seconds
    while left:
        ended = select.select(list(left), [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ended:
            return
        for handle in ended:
            del left[handle]
