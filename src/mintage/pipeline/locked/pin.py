"""One package that a lock pins, and where a lock is refused."""

from __future__ import annotations

import re

import msgspec

from mintage.errors import LockInvalidError

__all__ = ["Pin", "canonical_name", "line_of", "refuse", "unknown_choice"]


class Pin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A package: its canonical name, its version (or the address that it comes from), the SHA-256 of each file that
    will do, sorted."""

    name: str
    version: str
    hashes: tuple[str, ...]


def canonical_name(name: str) -> str:
    """The name as indexes compare it (PEP 503).

    >>> canonical_name("Ruamel.Yaml__clib")
    'ruamel-yaml-clib'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def line_of(text: str, name: str) -> int:
    """The line of a TOML lock in which a package says its name; 1 if there is none."""
    found = re.search(rf'^name = "{re.escape(name)}"', text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def refuse(
    message: str, *, where: str, expected: str | None = None, found: str | None = None, hint: str | None = None
) -> LockInvalidError:
    """The error of a lock from which nothing can be built."""
    return LockInvalidError(message, expected=expected, found=found, where=where, hint=hint)


def unknown_choice(kind: str, name: str, known: list[str], *, where: str) -> LockInvalidError:
    """The error of an extra or a group that the lock does not have."""
    return refuse(
        f"the lock has no {kind} {name}",
        expected=", ".join(sorted(known)) or f"no {kind}: it has none",
        where=where,
        hint=f"correct `{kind}s:` in mintage.yaml, or lock again",
    )
