"""Close a process off, then become its command. Runs alone: ``python -I -S confine.py SETTINGS COMMAND…``

Used where Mintage opens a file that may run code (a pickled estimator). What the kernel offers is applied, and what was
applied is written as JSON to the descriptor ``report`` of the settings before the command starts:

- ``processes``: user, process, network and IPC namespaces; when the command ends, all that it started ends too
- ``network``: no socket of any family can be made (seccomp; or only the namespace)
- ``files``: only ``read`` can be read, and only ``write`` written (Landlock)
- ``memory_bytes``, ``file_bytes``: the limits of one process and of one file (rlimits); there are no core dumps

A layer that the kernel refuses is left out and reported as false; nothing here needs privileges.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import stat
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

__all__ = ["main"]

_NAMESPACES = 0x10000000 | 0x20000000 | 0x40000000 | 0x08000000  # CLONE_NEWUSER, NEWPID, NEWNET, NEWIPC
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
_INSIDE = 1000  # no root inside: what is executed keeps no capability, not even in its namespace
# Per machine: the number of its audit architecture, and of socket, io_uring_setup, add_key, request_key, keyctl.
_SYSCALLS = {
    "x86_64": (0xC000003E, (41, 425, 248, 249, 250)),
    "aarch64": (0xC00000B7, (198, 425, 217, 218, 219)),
}
_READ_FILE, _READ_FOLDER = 1 | 4, 1 | 4 | 8  # EXECUTE, READ_FILE, READ_DIR
_WRITE_FILE = 2 | 4 | 1 << 14  # WRITE_FILE, READ_FILE, TRUNCATE
_NEVER = 1 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11  # no programs, devices, sockets and FIFOs in what can be written


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Filter(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filters", ctypes.POINTER(_Filter)))


def main(arguments: Sequence[str]) -> int:
    """Apply the settings and execute the command; returns only if it ran in a namespace, with its exit code."""
    settings, command = json.loads(arguments[0]), list(arguments[1:])
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    separate = linux and _can_separate(libc, command[0], settings["write"])
    if separate:
        _separate(libc)
        child = os.fork()
        if child:
            os.close(settings["report"])
            # Process 1 of a namespace takes all others with it, and is waited for only when they are gone.
            signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
            return _code(os.waitpid(child, 0)[1])
    return _become(command, settings, libc, separate=separate)


def _become(command: list[str], settings: dict[str, Any], libc: Any, *, separate: bool) -> NoReturn:
    linux = sys.platform == "linux"
    if linux:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        for capability in range(64):  # root outside a namespace may read others' memory by CAP_PERFMON, past Landlock
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    _limit(settings)
    filtered = linux and _filter_syscalls(libc)
    applied = {
        "processes": separate,
        "network": filtered or separate,
        "files": linux and _restrict_files(libc, settings["read"], settings["write"]),
        "memory_bytes": settings["memory_bytes"],
        "file_bytes": settings["file_bytes"],
    }
    os.write(settings["report"], json.dumps(applied).encode())
    os.close(settings["report"])
    os.execv(command[0], command)


def _code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _limit(settings: dict[str, Any]) -> None:
    """Limits of each process: no core dumps, size of a file, private memory (RLIMIT_DATA counts what is mapped)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (settings["file_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_DATA, (settings["memory_bytes"],) * 2)


def _can_separate(libc: Any, program: str, folders: Sequence[str]) -> bool:
    """Whether namespaces work here and the program and folders can still be used in them; tried in a child."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _separate(libc)
            usable = os.access(program, os.X_OK) and all(os.access(folder, os.W_OK) for folder in folders)
            grandchild = os.fork() if usable else -1
            if grandchild == 0:
                os._exit(0)
            code = _code(os.waitpid(grandchild, 0)[1]) if usable else 1
        except OSError:
            code = 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _separate(libc: Any) -> None:
    """Enter new namespaces; the next child is process 1 of its own. Raises OSError where that is not allowed."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NAMESPACES) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{_INSIDE} {user} 1"), ("gid_map", f"{_INSIDE} {group} 1")):
        with open(f"/proc/self/{name}", "w") as stream:
            stream.write(text)


def _filter_syscalls(libc: Any) -> bool:
    """Deny sockets, io_uring (which could make them) and the kernel's keys; a foreign machine code is killed."""
    if platform.machine() not in _SYSCALLS:
        return False
    audit, denied = _SYSCALLS[platform.machine()]
    load, equal, above, answer = 0x20, 0x15, 0x35, 0x06
    lines = [(load, 0, 0, 4), (equal, 1, 0, audit), (answer, 0, 0, 0x80000000), (load, 0, 0, 0)]
    lines += [(above, len(denied), 0, 0x40000000)]  # x32: the same calls under other numbers
    lines += [(equal, len(denied) - 1 - place, 0, number) for place, number in enumerate(denied)]
    lines[-1] = (equal, 0, 1, denied[-1])
    lines += [(answer, 0, 0, 0x00050000 | 13), (answer, 0, 0, 0x7FFF0000)]  # EACCES; allow
    filters = (_Filter * len(lines))(*(_Filter(*line) for line in lines))
    program = _Program(len(lines), filters)
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(program), 0, 0) == 0)


def _restrict_files(libc: Any, read: Sequence[str], write: Sequence[str]) -> bool:
    """Landlock: what is not named can neither be read nor written; TCP and outer processes are closed off as well."""
    version = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = (1 << (13 if version == 1 else 14 if version == 2 else 15 if version < 5 else 16)) - 1
    attributes = _Ruleset(handled, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(444, ctypes.byref(attributes), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return False
    for path in read:
        _allow(libc, ruleset, path, folder=_READ_FOLDER, file=_READ_FILE)
    for path in write:
        _allow(libc, ruleset, path, folder=handled & ~_NEVER, file=handled & _WRITE_FILE)
    applied = libc.syscall(446, ruleset, 0) == 0
    os.close(ruleset)
    return bool(applied)


def _allow(libc: Any, ruleset: int, path: str, *, folder: int, file: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there, so nothing to read
    allowed = folder if stat.S_ISDIR(os.fstat(parent).st_mode) else file
    libc.syscall(445, ruleset, 1, ctypes.byref(_Beneath(allowed, parent)), 0)
    os.close(parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
