"""End what a command left running: processes in its group, and daemons that left the group. Linux; elsewhere nothing.

They are known by a variable that only this command's processes have in their environment. One that wipes its
environment and moves to a session of its own is not found. Those about to end by themselves get a moment to.

Also a script, which ``guard`` starts when Mintage was killed: ``python -I -S leftover.py MARKER``.
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
_ROUNDS = 5


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


def main(marker: str) -> None:
    """End them, and what they start meanwhile."""
    for _ in range(_ROUNDS):
        if not end_leftovers(marker, grace_s=0.0):
            return


def _marked(marker: bytes, handles: contextlib.ExitStack) -> Iterator[tuple[int, str]]:
    """A handle of each process with the mark, which stays its own whatever becomes of its number, and its program."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(int(folder.name))
            handles.callback(os.close, handle)
            if marker in (folder / "environ").read_bytes().split(b"\0"):
                yield handle, (folder / "comm").read_text().strip()


def _wait(left: dict[int, str], seconds: float) -> None:
    """Take out of ``left`` those that end in time."""
    deadline = time.monotonic() + seconds
    while left:
        ended = select.select(list(left), [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ended:
            return
        for handle in ended:
            del left[handle]


if __name__ == "__main__":
    main(sys.argv[1])
