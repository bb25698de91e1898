"""Read a file of the project for its digest: a large input that is not kept yet goes into the store in the same pass.

``InputReader`` also says so before a read that takes long. Nothing is copied if the disk has no room for it, or if the
store seems to have it: the run that follows refuses, or finds it there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mintage.pipeline.facts import Inspector
from mintage.record.digest import blake3_file

__all__ = ["LARGE", "LONG", "SPARE", "InputReader"]

LARGE = 4 << 20
LONG = 1 << 30
"""A file of so many bytes takes seconds to read."""
SPARE = 64 << 20
"""What a disk should have left."""


class InputReader:
    """Gives the digest of a file; ``say`` gets what to tell of a long read."""

    def __init__(self, inspector: Inspector, say: Callable[[str], None]) -> None:
        self._inspector = inspector
        self._say = say

    def __call__(self, path: Path) -> str:
        size = path.stat().st_size
        keeps = size > LARGE and self._is_new_input(path, size)
        if size > LONG:
            purpose = "and copied into the store" if keeps else "to know whether it changed"
            self._say(f"{path.name} has {size / 1e9:.1f} GB: it is read once, {purpose}; later runs do neither")
        return self._inspector.store.put_file(path) if keeps else blake3_file(path)

    def _is_new_input(self, path: Path, size: int) -> bool:
        from shutil import disk_usage

        root, store = self._inspector.workspace.root, self._inspector.store
        if not path.is_relative_to(root) or disk_usage(root).free < size + SPARE:
            return False
        name = path.relative_to(root).as_posix()
        stages = self._inspector.project.stages.values()
        if not any(name == item or name.startswith(f"{item.rstrip('/')}/") for s in stages for item in s.inputs):
            return False
        locks = self._inspector.locks.values()
        items = [item for lock in locks for item in (*lock.inputs, *lock.outputs)]
        return not any(item.path == name and item.size == size and store.has(item.digest) for item in items)
