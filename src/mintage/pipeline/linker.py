"""Which inputs a stage reads where the user has them: large files, while nothing can be written there.

A link is made only to a file whose bytes are known to be those of the input without reading it, and only where the
kernel can close the project off (``recording.protect``). SQLite databases, programs and small files are copied.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mintage.repo.locks import Item

__all__ = ["Linker"]


class Linker:
    """Links files into one scratch folder; ``links`` are those made so far, by path, and what they lead to."""

    def __init__(self, root: Path, known: Callable[[Path], str | None]) -> None:
        self.links: dict[str, Path] = {}
        self._root = root
        self._known = known

    def can_link(self, item: Item) -> bool:
        """Whether the stage can read the user's own file."""
        from mintage.pipeline.recording.mirror import SMALL, is_sqlite
        from mintage.pipeline.recording.protect import is_possible

        source = self._root / item.path
        if item.folder or item.size <= SMALL or not source.is_file() or not is_possible():
            return False
        return self._known(source) == item.digest and not is_sqlite(source) and not os.access(source, os.X_OK)

    def link(self, item: Item, work: Path) -> bool:
        """Link the file into ``work``, if that can be; returns whether it did."""
        if not self.can_link(item):
            return False
        target, source = work / item.path, Path(os.path.realpath(self._root / item.path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
        self.links[item.path] = source
        return True
