"""What a lock pins for one Python on this machine: the packages that enter the key, before anything is built.

The same lock is read once: what it led to is remembered under its digest. Nothing is resolved; a package that the lock
does not name is not there.
"""

from __future__ import annotations

import functools
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from mintage.errors import LockInvalidError
from mintage.pipeline.locked.pin import Pin, refuse
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes
from mintage.repo.locked_python import LockedPython, kind_of
from mintage.repo.workspace import PROJECT_FILE, Workspace
from mintage.store.statcache import StatCache

__all__ = ["Resolved", "own_minor", "read_pins", "resolve"]

_LIMIT = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A lock as it is here: the Python to build for and the packages, by name."""

    locked: LockedPython
    version: str
    pins: tuple[Pin, ...]

    @functools.cached_property
    def key(self) -> str:
        """The digest that enters cache keys."""
        packages = [{"name": pin.name, "version": pin.version, "hashes": list(pin.hashes)} for pin in self.pins]
        return blake3_bytes(canonical_bytes({**self.about, "packages": packages}))

    @property
    def about(self) -> dict[str, str]:
        """The interpreter: Python, implementation and platform, as a freeze says it."""
        return {
            "python": self.version,
            "implementation": platform.python_implementation(),
            "platform": f"{sys.platform}-{platform.machine()}",
        }

    @property
    def frozen(self) -> dict[str, Any]:
        """A freeze of what will be built; there is no RECORD yet."""
        return {**self.about, "packages": [{"name": pin.name, "version": pin.version} for pin in self.pins]}


def own_minor() -> str:
    """The version of the Python that runs this, as in 3.12."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def resolve(workspace: Workspace, cache: StatCache, locked: LockedPython) -> Resolved:
    """What ``locked`` pins here; raises LockInvalidError."""
    path = workspace.root / locked.lock
    if not path.is_file():
        raise refuse(
            f"the lock {locked.lock} is not there",
            expected="a lock that Git tracks",
            where=f"{PROJECT_FILE}, which names it under `python:`",
            hint=_hint_to_make(locked.lock),
        )
    version = locked.version or own_minor()
    chosen = blake3_bytes(canonical_bytes([list(locked.extras), list(locked.groups), _markers(version)]))
    remembered = f"locked:{kind_of(locked.lock)}:{cache.file_digest(path)}:{chosen}"
    text = cache.result(remembered)
    if text is None:
        text = msgspec.json.encode(read_pins(path, locked, python=version)).decode()
        cache.remember(remembered, text)
    return Resolved(locked=locked, version=version, pins=msgspec.json.decode(text, type=tuple[Pin, ...]))


def read_pins(path: Path, locked: LockedPython, *, python: str) -> tuple[Pin, ...]:
    """The packages that the lock at ``path`` pins for ``python`` on this platform, by name."""
    markers = _markers(python)
    where = locked.lock
    try:
        data = path.read_bytes()
        text = data.decode()
    except UnicodeDecodeError as error:
        raise refuse("the lock is no text", found=str(error), where=where) from error
    if len(data) > _LIMIT:
        raise refuse("the lock is too large", expected=f"at most {_LIMIT} bytes", found=str(len(data)), where=where)
    found = _read(text, locked, markers, where)
    return tuple(sorted(found, key=lambda pin: pin.name))


def _read(text: str, locked: LockedPython, markers: Mapping[str, str], where: str) -> list[Pin]:
    kind = kind_of(locked.lock)
    if kind == "requirements":
        from mintage.pipeline.locked.requirements_file import read_requirements

        return read_requirements(text, markers, where=where)
    if kind == "pylock":
        from mintage.pipeline.locked.pylock import read_pylock

        return read_pylock(text, markers, extras=locked.extras, groups=locked.groups, where=where)
    if kind == "uv":
        from mintage.pipeline.locked.uv_lock import read_uv_lock

        return read_uv_lock(text, markers, extras=locked.extras, groups=locked.groups, where=where)
    raise LockInvalidError(f"{locked.lock} is no lock that Mintage reads", where=where)


def _markers(python: str) -> dict[str, str]:
    """What markers are judged by (PEP 508). Of another Python than this only two numbers are known before it is found:
    a marker that asks for more gets the answer of a late release."""
    minor = ".".join(python.split(".")[:2])
    full = platform.python_version() if minor == own_minor() else f"{minor}.99"
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": python if python.count(".") > 1 else full,
        "python_version": minor,
        "sys_platform": sys.platform,
    }


def _hint_to_make(lock: str) -> str:
    if kind_of(lock) == "uv":
        return "`uv lock` makes it"
    if kind_of(lock) == "pylock":
        return f"`uv export --no-emit-project -o {lock}` makes it"
    return f"`uv pip compile --generate-hashes … -o {lock}` or `mintage python freeze -o {lock}` makes it"
