"""What the process that opens an estimator may touch, and the command that closes it off (``confine``).

It reads the interpreter's own folders and the system's libraries, and writes its scratch folder; the project, its keys
and the user's home are not among them. How much of that the kernel enforces is what ``Applied`` says.

>>> around(Path("/srv/shop/lib"), state=Path("/srv/shop/.mintage"))
['/srv/shop/lib']
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mintage.errors import RunError
from mintage.pipeline.environment import Environment

__all__ = ["Applied", "Limits", "around", "confined_command", "read_applied", "readable"]

_SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/proc", "/sys", "/nix/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime"),
    *("/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/os-release", "/etc/mime.types"),
    *("/etc/ssl/openssl.cnf", "/dev/urandom", "/dev/random", "/dev/zero"),
)
_PARTS = ("bin", "lib", "lib64", "libexec", "share", "etc", "pyvenv.cfg", "Library", "Python")


class Applied(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for a confined process; see ``confine`` for what each field says."""

    processes: bool
    network: bool
    files: bool
    memory_bytes: int
    file_bytes: int

    @property
    def open(self) -> list[str]:
        """What was not closed on this machine."""
        return [name for name in ("network", "files", "processes") if not getattr(self, name)]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a confined process may use: memory of one process, one file, its folder in bytes and in files, seconds."""

    memory_bytes: int
    file_bytes: int
    folder_bytes: int
    folder_files: int
    timeout_s: float

    @classmethod
    def of_this_machine(cls) -> Limits:
        """Three quarters of the machine's memory, at most 16 GiB; a folder of 4 GiB; a quarter of an hour an answer."""
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = min(16 << 30, max(2 << 30, physical * 3 // 4))
        return cls(memory_bytes=memory, file_bytes=2 << 30, folder_bytes=4 << 30, folder_files=20_000, timeout_s=900.0)


def around(folder: Path, *, state: Path) -> list[str]:
    """``folder``; if Mintage's ``state`` lies in it, what else is in it. Of the state only built environments."""
    folder, state = folder.resolve(), state.resolve()
    if folder.is_relative_to(state / "pythons"):  # an environment that was built from a lock has nothing of a project
        return [str(folder)]
    if folder == state or folder.is_relative_to(state):
        return []
    if not state.is_relative_to(folder):
        return [str(folder)]
    if folder == folder.parent or not folder.is_dir():
        return []
    return [found for entry in sorted(folder.iterdir()) for found in around(entry, state=state)]


def readable(environment: Environment, *, state: Path, more: Sequence[Path]) -> list[str]:
    """Paths that the interpreter of ``environment`` needs to read, and ``more``; never Mintage's state."""
    wanted = [Path(path) for path in (*_SYSTEM, environment.python, *environment.folders)]
    wanted += [Path(prefix, part) for prefix in environment.prefixes for part in _PARTS]
    wanted += [Path(path) for path in os.environ.get("LD_LIBRARY_PATH", "").split(":") if path.startswith("/")]
    wanted += [link.resolve() for folder in environment.folders for link in _links(Path(folder))]
    found = {path for folder in (*wanted, *more) for path in around(folder, state=state)}
    return sorted(found)


def _links(folder: Path) -> list[Path]:
    """The packages of a folder that are links to elsewhere."""
    return [entry for entry in folder.iterdir() if entry.is_symlink()] if folder.is_dir() else []


def confined_command(
    command: Sequence[str], *, read: Sequence[str], write: Sequence[str], limits: Limits, report: int
) -> list[str]:
    """``command`` behind the script that closes it off; what was applied is written to the descriptor ``report``."""
    settings = {
        "read": list(read),
        "write": [*write, "/dev/null"],
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.file_bytes,
        "report": report,
    }
    script = Path(__file__).with_name("confine.py")
    return [sys.executable, "-I", "-S", str(script), json.dumps(settings), *command]


def read_applied(report: int, *, log: Path) -> Applied:
    """What the started process wrote to its descriptor; raises RunError if it never came to its command."""
    with os.fdopen(report, "rb") as stream:
        text = stream.read(4096)
    try:
        return msgspec.json.decode(text, type=Applied)
    except msgspec.MsgspecError:
        found = log.read_text(errors="replace")[-2000:] or None
        raise RunError("the process that closes others off could not start", found=found, where=str(log)) from None
