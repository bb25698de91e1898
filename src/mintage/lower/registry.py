"""Find the families: built-in ones are the files of ``families``, a third party's are entry points.

>>> sorted({family.role for family in known_families().values()})
['classifier', 'container', 'margin', 'regressor', 'transformer']
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from mintage.lower import families
from mintage.lower.dispatch import Family

__all__ = ["ENTRY_POINTS", "known_families"]

ENTRY_POINTS = "mintage.families"


@functools.cache
def known_families() -> Mapping[str, Family]:
    """Every known type name with its family; a third party's never replaces a built-in one."""
    from importlib.metadata import entry_points

    found: dict[str, Family] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        outside: Family = entry.load()
        found.update(dict.fromkeys(outside.types, outside))
    modules = pkgutil.iter_modules(families.__path__, f"{families.__name__}.")
    for module in sorted(modules, key=lambda module: not module.name.endswith(".published")):  # ours goes before theirs
        family: Family = importlib.import_module(module.name).FAMILY
        found.update(dict.fromkeys(family.types, family))
    return found
