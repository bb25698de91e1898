"""A ``/tmp`` and a ``/dev/shm`` of the stage's own, in a mount namespace, where the kernel allows one.

``/tmp`` is the scratch folder's, which goes with it; what is open below the machine's own (an interpreter, a file that
``reads`` names) is mounted into it. ``/dev/shm`` is empty and goes with the last process. This is a comfort, no wall:
without it ``/tmp`` is closed, and programs that write there in spite of ``$TMPDIR`` fail.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from mintage.pipeline.offline import _into_namespace, _works

__all__ = ["SHARED_MEMORY", "TEMPORARY", "hiding", "way_to_hide"]

TEMPORARY, SHARED_MEMORY = "/tmp", "/dev/shm"
_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_NOSUID, _NODEV, _BIND, _REC, _PRIVATE = 2, 4, 4096, 16384, 1 << 18


@functools.cache
def way_to_hide() -> Literal["root", "user", "none"]:
    """Whether a mount namespace can be had: as root, or in a user namespace; tried once, in a child.

    Root goes without a user namespace, in which it could give no file to another user.
    """
    if sys.platform != "linux":
        return "none"
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and _works(lambda: _enter(libc, with_user=False)):
        return "root"
    return "user" if _works(lambda: _enter(libc, with_user=True)) else "none"


def hiding(
    opened: Sequence[str], *, root: Path, folder: Path, work: Path, is_inside: bool
) -> Callable[[], tuple[str, ...]] | None:
    """For the child: mount them, and say which folders it has of its own now; None where that cannot be.

    ``opened`` is what is open to it, ``folder`` becomes its ``/tmp``, ``work`` is where it runs; ``is_inside`` says
    that it is in a user namespace already. A project at ``root`` that lies in ``/tmp`` itself stays where it is.
    """
    how = way_to_hide()
    if how == "none" or str(root).startswith((f"{TEMPORARY}/", f"{SHARED_MEMORY}/")) or TEMPORARY in opened:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    kept = [(path.encode(), _point(Path(path), folder)) for path in opened if path.startswith(f"{TEMPORARY}/")]
    shared = any(path.startswith(f"{SHARED_MEMORY}/") for path in opened)
    with_user = how == "user" and not is_inside

    def hide() -> tuple[str, ...]:
        if not _enter(libc, with_user=with_user):
            return ()
        for source, target in kept:
            if not _mount(libc, source, target, _BIND | _REC):
                return ()
        found = []
        if _mount(libc, str(folder).encode(), TEMPORARY.encode(), _BIND | _REC):
            found.append(TEMPORARY)
        if not shared and _mount(libc, b"tmpfs", SHARED_MEMORY.encode(), _NOSUID | _NODEV, kind=b"tmpfs"):
            found.append(SHARED_MEMORY)
        os.chdir(work)
        return tuple(found)

    return hide


def _point(path: Path, folder: Path) -> bytes:
    """Make the place below ``folder`` where ``path`` is mounted."""
    point = folder / path.relative_to(TEMPORARY)
    if path.is_dir():
        point.mkdir(parents=True, exist_ok=True)
    elif path.exists():
        point.parent.mkdir(parents=True, exist_ok=True)
        point.touch()
    return str(point).encode()


def _enter(libc: Any, *, with_user: bool) -> bool:
    """Go into a mount namespace of which nothing reaches the outside."""
    if with_user and not _into_namespace(libc, _NEWUSER | _NEWNS):
        return False
    if not with_user and libc.unshare(_NEWNS) != 0:
        return False
    return _mount(libc, b"none", b"/", _REC | _PRIVATE)


def _mount(libc: Any, source: bytes, target: bytes, flags: int, *, kind: bytes | None = None) -> bool:
    return bool(libc.mount(source, target, kind, ctypes.c_ulong(flags), None) == 0)
