"""Find the exports: built-in ones are the files of this folder, a third party's are entry points."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from mintage.model import export
from mintage.model.export.base import Exporter

__all__ = ["ENTRY_POINTS", "known_exports"]

ENTRY_POINTS = "mintage.exports"


@functools.cache
def known_exports() -> Mapping[str, Exporter]:
    """Every export by name; a third party's never replaces a built-in one."""
    from importlib.metadata import entry_points

    found: dict[str, Exporter] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        outside: Exporter = entry.load()
        found[outside.name] = outside
    for module in pkgutil.iter_modules(export.__path__, f"{export.__name__}."):
        built_in: Exporter | None = getattr(importlib.import_module(module.name), "EXPORT", None)
        if built_in is not None:
            found[built_in.name] = built_in
    return dict(sorted(found.items()))
