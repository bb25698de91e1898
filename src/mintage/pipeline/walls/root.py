"""Where the kernel has no Landlock: a root folder of the stage's own that holds what is open to it, and nothing else.

It is made in a mount namespace (Linux 5.12 or later, if users may make one): each open path is mounted at its place in
an empty folder, what is only to be read as such, and that becomes ``/``. The rest of the machine is not there at all.
``/tmp`` and ``/dev/shm`` are empty folders of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mintage.pipeline.offline import _works
from mintage.pipeline.walls.opened import Opened, cover
from mintage.pipeline.walls.private import (
    _BIND,
    _NODEV,
    _NOSUID,
    _REC,
    SHARED_MEMORY,
    TEMPORARY,
    _enter,
    _mount,
    way_to_hide,
)

__all__ = ["can_root", "plant", "rooted"]

_SETATTR, _PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}
_HERE, _RECURSIVE, _READ_ONLY, _DETACH = -100, 0x8000, 1, 2
_STREAMS = ("/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr")
_MOST_LINKS, _NO_NEW_PRIVS, _PDEATHSIG = 40, 38, 1


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("namespace", ctypes.c_uint64),
    )


@functools.cache
def can_root() -> bool:
    """Whether this machine can do it; tried once, in a child."""
    how = way_to_hide()
    if how == "none" or os.uname().machine not in _PIVOT_ROOT:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return _works(lambda: _enter(libc, with_user=how == "user") and _read_only(libc, b"/"))


def rooted(opened: Opened, *, folder: Path, work: Path, is_inside: bool) -> Callable[[], None]:
    """For the child: move into the root that is made in the empty ``folder``, and to ``work`` there; ``is_inside`` says
    that it is in a user namespace already. Raises OSError there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with_user = way_to_hide() == "user" and not is_inside
    (folder / TEMPORARY[1:]).mkdir(parents=True)
    (folder / SHARED_MEMORY[1:]).mkdir(parents=True)
    places = [path for path in cover(opened.all) if path != SHARED_MEMORY]
    mounts = [(real.encode(), at.encode(), _is_read(real, opened)) for real, at in _planted(places, folder)]
    for link in (*map(Path, _STREAMS), *(entry for entry in Path("/").iterdir() if entry.is_symlink())):
        _copy_link(folder, link)
    own_memory = not any(path.startswith(f"{SHARED_MEMORY}/") for path in places)
    program, new = _PIVOT_ROOT[os.uname().machine], str(folder).encode()

    def move() -> None:
        _check(_enter(libc, with_user=with_user), "a mount namespace")
        _check(_mount(libc, new, new, _BIND), "the new root")
        for source, target, is_read in mounts:
            around = (
                _BIND if new.startswith(source + b"/") else _BIND | _REC
            )  # the scratch folder, not what is in it here
            if _mount(libc, source, target, around) and is_read:
                _check(_read_only(libc, target), os.fsdecode(source))
        if own_memory:
            _mount(libc, b"tmpfs", new + SHARED_MEMORY.encode(), _NOSUID | _NODEV, kind=b"tmpfs")
        os.chdir(new)
        _check(libc.syscall(program, b".", b".") == 0, "pivot_root")
        _check(libc.umount2(b".", _DETACH) == 0, "the old root")
        os.chdir(work)
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return move


def plant(folder: Path, path: str) -> str | None:
    """Make the way to ``path`` below ``folder``: its folders and the links on it as they are outside. Returns where it
    really is, or None if it is nowhere."""
    done, rest = "", [part for part in path.split("/") if part]
    links = 0
    while rest:
        part = rest.pop(0)
        if part == "..":
            done = done.rpartition("/")[0]
            continue
        here = f"{done}/{part}"
        if Path(here).is_symlink():
            links += 1
            target = _copy_link(folder, Path(here))
            done = "" if target.startswith("/") else done
            rest = [piece for piece in target.split("/") if piece not in ("", ".")] + rest
            if links > _MOST_LINKS:
                return None
            continue
        if rest:
            Path(f"{folder}{here}").mkdir(exist_ok=True)
        done = here
    return done if done and Path(done).exists() else None


def _copy_link(folder: Path, link: Path) -> str:
    target = str(link.readlink()) if link.is_symlink() else ""
    with contextlib.suppress(FileExistsError, FileNotFoundError):
        Path(f"{folder}{link}").symlink_to(target)
    return target


def _planted(paths: list[str], folder: Path) -> list[tuple[str, str]]:
    """What to mount, and where; what lies in another of them is there with that."""
    real = cover(found for path in paths if (found := plant(folder, path)) is not None)
    for path in real:
        point = Path(f"{folder}{path}")
        if Path(path).is_dir():
            point.mkdir(parents=True, exist_ok=True)
        else:
            point.parent.mkdir(parents=True, exist_ok=True)
            point.touch()
    return [(path, f"{folder}{path}") for path in real]


def _is_read(path: str, opened: Opened) -> bool:
    """Whether a path is only to be read."""
    return not any(path == other or path.startswith(f"{other}/") for other in map(os.path.realpath, opened.write))


def _read_only(libc: Any, target: bytes) -> bool:
    attributes = _Attributes(_READ_ONLY, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    return bool(libc.syscall(_SETATTR, _HERE, target, _RECURSIVE, ctypes.byref(attributes), size) == 0)


def _check(well: bool, what: str) -> None:
    if not well:
        raise OSError(ctypes.get_errno(), "the sandbox could not be made", what)
