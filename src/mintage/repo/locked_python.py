"""``python: {lock: …}`` in mintage.yaml: an interpreter that is built from a lock. Pure.

See docs/spec/locked-environment.md; what is in the lock ``pipeline.locked`` reads.

>>> str(LockedPython(lock="uv.lock", version="3.12", extras=("plots",)))
'uv.lock with plots for Python 3.12'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mintage.errors import FileMalformedError, RecordInvalidError
from mintage.record.manifest import safe_path

__all__ = ["LockedPython", "check_locked", "check_quoted", "kind_of", "put_locked"]

_VERSION = re.compile(r"3\.[0-9]{1,2}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PYLOCK = re.compile(r"pylock(\.[^.]+)?\.toml")


class LockedPython(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lock by its path in the project, the Python to build it for (None: that of the one that runs this), and what
    it takes of the lock beside the project's own dependencies."""

    lock: Annotated[str, Meta(description="a uv.lock, pylock.toml or requirements file with hashes")]
    version: Annotated[str | None, Meta(description='the Python to build it for, as "3.12"')] = None
    extras: Annotated[tuple[str, ...], Meta(description="extras to take of a uv.lock or pylock.toml")] = ()
    groups: Annotated[tuple[str, ...], Meta(description="dependency groups to take of it")] = ()

    def __str__(self) -> str:
        taken = ", ".join((*self.extras, *self.groups))
        return f"{self.lock}{f' with {taken}' if taken else ''}{f' for Python {self.version}' if self.version else ''}"


def kind_of(lock: str) -> str | None:
    """``uv``, ``pylock`` or ``requirements``; None for a file of another name.

    >>> [kind_of(name) for name in ("a/uv.lock", "pylock.train.toml", "requirements.txt", "poetry.lock")]
    ['uv', 'pylock', 'requirements', None]
    """
    name = lock.rpartition("/")[2]
    if name == "uv.lock":
        return "uv"
    if _PYLOCK.fullmatch(name):
        return "pylock"
    return "requirements" if name.endswith(".txt") else None


def put_locked(form: LockedPython, put: Callable[[str], str]) -> LockedPython:
    """``form`` with everything in ``${...}`` put in."""
    return LockedPython(
        lock=put(form.lock),
        version=None if form.version is None else put(form.version),
        extras=tuple(map(put, form.extras)),
        groups=tuple(map(put, form.groups)),
    )


def check_quoted(written: Any, *, where: str) -> None:
    """Raise FileMalformedError if YAML took the version for a number: 3.10 is 3.1 then, and nobody can tell."""
    version = written.get("version") if isinstance(written, dict) else None
    if isinstance(version, int | float):
        raise FileMalformedError(
            "the version of Python is a number to YAML",
            expected='it in quotes, as in version: "3.10"',
            found=str(version),
            where=where,
        )


def check_locked(locked: LockedPython, *, where: str) -> None:
    """Raise FileMalformedError if it cannot be built, whatever the lock has."""
    try:
        safe_path(locked.lock)
    except RecordInvalidError as error:
        raise FileMalformedError(
            "the lock is no path in the project", expected=error.expected, found=error.found, where=where
        ) from error
    kind = kind_of(locked.lock)
    if kind is None:
        raise FileMalformedError(
            f"{locked.lock} is no lock that Mintage reads",
            expected="uv.lock, pylock.toml, or a requirements file (.txt) with hashes",
            where=where,
            hint="other tools export one: `pdm export`, `poetry export`, `pipenv requirements --hash`",
        )
    if locked.version is not None and not _VERSION.fullmatch(locked.version):
        raise FileMalformedError(
            "not a version of Python to build for",
            expected='two numbers in quotes, as "3.12"',
            found=repr(locked.version),
            where=where,
        )
    if kind == "requirements" and (locked.extras or locked.groups):
        raise FileMalformedError(
            "a requirements file has no extras and no groups",
            found=", ".join((*locked.extras, *locked.groups)),
            where=where,
            hint="name another file for this stage",
        )
    for name in (*locked.extras, *locked.groups):
        if not _NAME.fullmatch(name):
            raise FileMalformedError("not the name of an extra or a group", found=repr(name), where=where)
