"""Keep versioned data out of Git's history: one line a path in the project's .gitignore."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mintage.store.publish import publish_bytes

__all__ = ["IGNORE_FILE", "ignore_path", "ignore_text"]

IGNORE_FILE = ".gitignore"
_SPECIAL = "*?[]!#\\ "


def ignore_path(root: Path, path: str) -> bool:
    """Add ``/path`` to .gitignore unless it, or a folder above it, is there; returns whether it was added."""
    file = root / IGNORE_FILE
    text = file.read_text() if file.is_file() else ""
    made = ignore_text(text, [path])
    if made == text:
        return False
    publish_bytes(file, made.encode())
    return True


def ignore_text(text: str, paths: Iterable[str]) -> str:
    """``text`` of a .gitignore with a line for each of ``paths`` that it does not name yet; a folder may end in ``/``.

    >>> ignore_text("*.pyc\\n/data/\\n", ["data/a.csv", "big [1].bin", ".venv/"])
    '*.pyc\\n/data/\\n/big\\\\ \\\\[1\\\\].bin\\n/.venv/\\n'
    """
    lines = {line.rstrip("/") for line in text.splitlines()}
    for path in paths:
        parts = path.rstrip("/").split("/")
        parents = {"/" + "/".join(parts[: count + 1]) for count in range(len(parts))}
        line = "/" + "".join(f"\\{char}" if char in _SPECIAL else char for char in path)
        if lines & parents or line.rstrip("/") in lines:
            continue
        text += ("" if text.endswith("\n") or not text else "\n") + line + "\n"
        lines.add(line.rstrip("/"))
    return text
