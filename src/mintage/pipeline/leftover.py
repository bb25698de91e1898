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
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["end_at_home", "end_leftovers"]

_PATIENCE_S = 2.0
_ROUNDS = 5
_BLOCK = 256 << 10


def end_leftovers(marker: str, *, grace_s: float) -> tuple[str, ...]:
    """End every process whose environment has ``marker`` (``NAME=value``) after ``grace_s``; returns their programs."""
    if sys.platform != "linux":
        return ()
    mark = marker.encode()
    return _end_all(lambda text: mark in text and mark in text.split(b"\0"), grace_s)


def end_at_home(folder: Path) -> tuple[str, ...]:
    """End every process whose home lies in ``folder``, as those of a stage do that was run there; returns their
    programs. For what is left when whoever ran it was killed."""
    if sys.platform != "linux":
        return ()
    start = f"HOME={folder}/".encode()
    return _end_all(lambda text: start in text and any(each.startswith(start) for each in text.split(b"\0")), 0.0)


def _end_all(is_meant: Callable[[bytes], bool], grace_s: float) -> tuple[str, ...]:
    with contextlib.ExitStack() as handles:
        left = dict(_found(is_meant, handles))
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


def _found(is_meant: Callable[[bytes], bool], handles: contextlib.ExitStack) -> Iterator[tuple[int, str]]:
    """A handle of each process whose variables are meant, which stays its own whatever becomes of its number, and its
    program."""
    own = str(os.getpid())
    for number in os.listdir("/proc"):  # noqa: PTH208 as text: all processes of the machine are looked at after each stage
        if not number.isdecimal() or number == own or not is_meant(_variables_of(number)):
            continue
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(int(number))
            handles.callback(os.close, handle)
            if is_meant(_variables_of(number)):  # and still is, now that the number cannot become another's
                yield handle, Path(f"/proc/{number}/comm").read_text().strip()


def _variables_of(number: str) -> bytes:
    """The variables of a process, a NUL after each; nothing if it ended, or is another user's."""
    try:
        descriptor = os.open(f"/proc/{number}/environ", os.O_RDONLY)
    except OSError:
        return b""
    text = b""
    try:
        while block := os.read(descriptor, _BLOCK):
            text += block
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return text


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
