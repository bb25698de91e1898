"""Run a command without network: in a network namespace of its own where the kernel allows it, no privileges needed.

There is no interface in it but a loopback that is down, so no address answers; sockets between processes still work.
Where namespaces are closed, no socket can be made at all (seccomp). Elsewhere NetworkOpenError says so: a stage that
declares ``network: false`` never runs with it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from typing import Any, Literal

from mintage.errors import NetworkOpenError
from mintage.pipeline.confine import _filter_syscalls

__all__ = ["cut_off", "way"]

_NAMESPACES = 0x10000000 | 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_NO_NEW_PRIVS = 38


def cut_off(then: Callable[[], None] | None) -> Callable[[], None]:
    """For the child, just before it becomes the command: leave the network, then ``then``.

    Raises NetworkOpenError where this machine cannot do it.
    """
    how = way()
    if how == "none":
        raise NetworkOpenError(
            "a stage with `network: false` cannot be kept from the network on this machine",
            expected="Linux with user namespaces or seccomp",
            found=sys.platform,
            hint="run it where that is possible, or take the line out of mintage.yaml",
        )
    libc = ctypes.CDLL(None, use_errno=True)

    def leave() -> None:
        if not (_into_namespace(libc) if how == "namespace" else _without_sockets(libc)):
            raise OSError(ctypes.get_errno(), "the network could not be closed")
        if then is not None:
            then()

    return leave


@functools.cache
def way() -> Literal["namespace", "filter", "none"]:
    """How this machine can do it; tried once, in a child."""
    if sys.platform != "linux":
        return "none"
    libc = ctypes.CDLL(None, use_errno=True)
    if _works(lambda: _into_namespace(libc)):
        return "namespace"
    return "filter" if _works(lambda: _without_sockets(libc)) else "none"


def _works(leave: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if leave() else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _into_namespace(libc: Any, kinds: int = _NAMESPACES) -> bool:
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(kinds) != 0:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        try:
            target = os.open(f"/proc/self/{name}", os.O_WRONLY)
        except OSError:
            return False
        try:
            os.write(target, text.encode())
        except OSError:
            return False
        finally:
            os.close(target)
    return True


def _without_sockets(libc: Any) -> bool:
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    return _filter_syscalls(libc)
