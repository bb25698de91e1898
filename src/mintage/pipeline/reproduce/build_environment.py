"""Build an environment from a lock of a revision that names none, in an empty folder.

The first of uv.lock, pylock.toml and requirements*.txt that pins every package by hash is taken; ``pipeline.locked``
builds it, for the version of Python that was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mintage.errors import EnvironmentUnbuiltError, LockInvalidError
from mintage.pipeline.locked.install import install
from mintage.pipeline.locked.resolve import own_minor, read_pins
from mintage.repo.locked_python import LockedPython

__all__ = ["build_environment"]

_LOCKS = ("uv.lock", "pylock.toml")


def build_environment(root: Path, home: Path, *, version: str, tell: Callable[[str], None]) -> tuple[str, str]:
    """Build the environment that a lock in ``root`` pins at ``home``, for Python ``version`` (empty: that of this).

    Returns its interpreter and the lock's name. Raises EnvironmentUnbuiltError.
    """
    minor = ".".join(version.split(".")[:2]) or own_minor()
    found = [LockedPython(lock=name, version=minor) for name in _LOCKS if (root / name).is_file()]
    found += [LockedPython(lock=path.name, version=minor) for path in sorted(root.glob("requirements*.txt"))]
    locked = next((each for each in found if each.lock in _LOCKS or _is_hashed(root, each)), None)
    if locked is None:
        raise EnvironmentUnbuiltError(
            "the environment of that revision cannot be built here",
            expected="uv.lock, pylock.toml, or requirements*.txt with a hash for every package",
            found=f"{found[0].lock} without hashes" if found else "no such lock in that revision",
            hint="name one under `python:` in mintage.yaml and commit it: `uv lock`, or `mintage python freeze`",
        )
    tell(f"building the environment of {locked.lock}")
    install(root, locked, home, version=minor, default_groups=True)
    return str(home / "bin/python"), locked.lock


def _is_hashed(root: Path, locked: LockedPython) -> bool:
    """Whether every requirement in the file has a hash."""
    try:
        read_pins(root / locked.lock, locked, python=str(locked.version))
    except LockInvalidError:
        return False
    return True
