"""Find the checks: those of this package, and those that other installed packages bring.

Both declare entry points of the group ``mintage.checks`` that name a check object. The built-in ones are also found by
walking ``mintage.certify.checks``, so that a source tree without installed metadata works.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from mintage.certify.check import Check
from mintage.errors import CheckClashError

__all__ = ["GROUP", "find_checks"]

GROUP = "mintage.checks"
_PACKAGE = "mintage.certify.checks"


def find_checks(points: Iterable[EntryPoint] | None = None) -> Mapping[str, Check[Any]]:
    """All checks by id, sorted; raises CheckClashError if two bring the same id.

    ``points`` replaces the installed entry points.
    """
    package = importlib.import_module(_PACKAGE)
    found: dict[str, Check[Any]] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{_PACKAGE}."):
        check = importlib.import_module(module.name).CHECK
        found[check.id] = check
    for point in entry_points(group=GROUP) if points is None else points:
        check = point.load()
        if found.get(check.id, check) is not check:
            raise CheckClashError(
                f"two checks have the id {check.id}",
                expected="one",
                found=f"{type(found[check.id]).__module__} and {point.value}",
                hint="uninstall one of the two packages",
            )
        found[check.id] = check
    return dict(sorted(found.items()))
