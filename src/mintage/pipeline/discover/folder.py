"""What lies in a folder: files with their sizes, environments, and the text of its scripts and notebooks.

Nothing is run. Hidden folders, caches and environments are not looked into; links are not followed, but a link
to an environment is one. At most ``MAX_FILES`` files are listed and ``MAX_SCRIPTS`` scripts read.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from mintage.pipeline.discover.script import Script, read_script

__all__ = ["MAX_FILES", "MAX_SCRIPTS", "Folder", "look_at"]

MAX_FILES = 200_000
MAX_SCRIPTS = 2_000
_SCRIPT_BYTES = 1 << 20
_NOTEBOOK_BYTES = 64 << 20
_CACHES = frozenset(
    ("__pycache__", "node_modules", "mlruns", "wandb", "lightning_logs", "catboost_info", "mintage.lock")
)


@dataclass(kw_only=True)
class Folder:
    """``files`` are sizes by path; ``environments`` folders that hold a Python; ``clutter`` folders that programs make
    for themselves; ``cut`` says that there were more files than are listed."""

    root: Path
    files: dict[str, int] = field(default_factory=dict)
    environments: list[str] = field(default_factory=list)
    clutter: list[str] = field(default_factory=list)
    cut: bool = False

    def scripts(self, *, without: Collection[str] = ()) -> dict[str, Script]:
        """The scripts and notebooks that can be read, by path."""
        found = {}
        for path, size in self.files.items():
            limit = _NOTEBOOK_BYTES if path.endswith(".ipynb") else _SCRIPT_BYTES
            wanted = path.endswith((".py", ".ipynb")) and path not in without and size <= limit
            if wanted and os.access(self.root / path, os.R_OK):
                script = read_script(path, (self.root / path).read_text(encoding="utf-8", errors="replace"))
                if script is not None:
                    found[path] = script
            if len(found) >= MAX_SCRIPTS:
                break
        return found


def look_at(root: Path) -> Folder:
    """List the folder, those nearest to the top first."""
    found = Folder(root=root)
    queue = [""]
    while queue:
        prefix = queue.pop(0)
        for entry in _entries(root / prefix):
            path = prefix + entry.name
            if entry.is_dir() and _is_environment(Path(entry.path)):
                found.environments.append(path)
            elif entry.is_dir(follow_symlinks=False):
                if entry.name in _CACHES or entry.name == ".ipynb_checkpoints":
                    found.clutter.append(path)
                elif not entry.name.startswith(".") and not Path(entry.path, ".git").exists():
                    queue.append(f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                if len(found.files) >= MAX_FILES:
                    found.cut = True
                    return found
                found.files[path] = entry.stat(follow_symlinks=False).st_size
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name; nothing if one may not look into it."""
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except PermissionError:
        return []


def _is_environment(folder: Path) -> bool:
    """Whether it is a virtual environment, or one of conda."""
    return (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir()
