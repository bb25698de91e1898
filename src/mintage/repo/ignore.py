"""Keep versioned data out of Git's history: one line a path in the project's .gitignore."""

from __future__ import annotations

from pathlib import Path

from mintage.store.publish import publish_bytes

__all__ = ["ignore_path"]

_SPECIAL = "*?[]!#\\ "


def ignore_path(root: Path, path: str) -> bool:
    """Add ``/path`` to .gitignore unless it, or a folder above it, is there; returns whether it was added."""
    file = root / ".gitignore"
    text = file.read_text() if file.is_file() else ""
    lines = {line.rstrip("/") for line in text.splitlines()}
    parts = path.split("/")
    parents = {"/" + "/".join(parts[: count + 1]) for count in range(len(parts))}
    if lines & parents:
        return False
    line = "/" + "".join(f"\\{char}" if char in _SPECIAL else char for char in path)
    if line in lines:
        return False
    publish_bytes(file, (text + ("" if text.endswith("\n") or not text else "\n") + line + "\n").encode())
    return True
