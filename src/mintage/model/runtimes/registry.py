"""Find the runtimes: built-in ones are the files of this folder, a third party's are entry points.

>>> list(known_runtimes())[0]
'ort-cpu'
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from mintage.model import runtimes
from mintage.model.runtimes.base import Runtime

__all__ = ["ENTRY_POINTS", "known_runtimes"]

ENTRY_POINTS = "mintage.runtimes"
_ORDER = ("ort-cpu", "ort-node", "ort-web", "c", "duckdb", "postgresql")


@functools.cache
def known_runtimes() -> Mapping[str, Runtime]:
    """Every runtime by name, in the order in which they are shown; a third party's never replaces a built-in one."""
    from importlib.metadata import entry_points

    found: dict[str, Runtime] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        outside: Runtime = entry.load()
        found[outside.name] = outside
    for module in pkgutil.iter_modules(runtimes.__path__, f"{runtimes.__name__}."):
        built_in: Runtime | None = getattr(importlib.import_module(module.name), "RUNTIME", None)
        if built_in is not None:
            found[built_in.name] = built_in
    order = {name: place for place, name in enumerate(_ORDER)}
    return {name: found[name] for name in sorted(found, key=lambda name: (order.get(name, len(order)), name))}
