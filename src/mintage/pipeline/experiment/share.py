"""Let the work tree of experiments have the data of the user's: many experiments, one copy.

A file that Git does not carry is a symbolic link to the user's own, which no stage can write through (the
linker's rule; where that cannot be had, the stage gets a copy). A folder is shared by reflink where the file system
can, else copied: once for each work tree, not for each experiment. Nothing here writes to the user's files, nor changes
their stat, as a hard link would.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mintage.repo.workspace import Workspace
from mintage.store.clone import cloned
from mintage.store.local import files_under
from mintage.store.statcache import StatCache

__all__ = ["share"]


def share(own: Workspace, tree: Workspace, cache: StatCache) -> None:
    """Put what the stages of ``tree`` read and write there, as far as ``own`` has it and ``tree`` does not.

    A folder of data may be in Git in part: what is not is added. One that a stage writes is taken whole or not.
    """
    stages = tree.project(allow_unmade=True).stages.values()
    made = {path.rstrip("/") for stage in stages for path in stage.outputs}
    for stage in stages:
        for path in (*stage.inputs, *stage.outputs):
            name = path.rstrip("/")
            source, target = own.root / name, tree.root / name
            is_data = source.is_dir() and name not in made
            if not source.exists() or (os.path.lexists(target) and not is_data):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                _copy(source, target)
            else:
                _link(source.resolve(), target, cache)
    cache.flush()


def _link(source: Path, target: Path, cache: StatCache) -> None:
    cache.file_digest(source)
    target.symlink_to(source)
    cache.same_as(target, source)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for file in files_under(source):
        copy = target / file.relative_to(source)
        if os.path.lexists(copy):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not cloned(file, copy):
            shutil.copyfile(file, copy)
        shutil.copystat(file, copy)
