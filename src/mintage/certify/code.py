"""The digest of the code of a check: of all Python files of the package that it comes with.

A check of one of our rooms that is no built-in one (a wrapper of a user's function) must say itself what it is, as a
text ``identity``; so must one whose files are not known. Otherwise there is no digest, and its results are not kept.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from blake3 import blake3

from mintage.certify.check import Check

__all__ = ["code_of", "package_digest"]

_OURS, _BUILT_IN = "mintage", "mintage.certify.checks."


def code_of(check: Check[Any]) -> str | None:
    """What names the code of a check; None if it cannot be known."""
    identity, module = getattr(check, "identity", None), type(check).__module__
    package = module.partition(".")[0]
    if isinstance(identity, str):
        return f"{identity} {package_digest(package)}"
    if package == _OURS and not module.startswith(_BUILT_IN):
        return None
    return package_digest(package)


@cache
def package_digest(package: str) -> str | None:
    """The digest of all Python files of a top-level package or module; None if it has no files."""
    file = getattr(sys.modules.get(package), "__file__", None)
    if file is None:
        return None
    path = Path(file)
    paths = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    hasher = blake3()
    for each in paths:
        data = each.read_bytes()
        hasher.update(f"{each.relative_to(path.parent).as_posix()} {len(data)}\n".encode() + data)
    return f"b3:{hasher.hexdigest()}"
