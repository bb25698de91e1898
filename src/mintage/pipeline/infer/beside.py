"""Tables of a model that no stage reads or writes: those that lie beside the training rows, or that its file names.

Someone else often split the rows long ago: ``data/train.csv`` is read, ``data/test.csv`` lies there untouched. What no
stage reads is in no lock, so it is kept by content here, as ``mintage add`` does, before anyone needs it. A table in a
folder that a stage declares as a whole is never beside: the stage may have read it.

>>> stage = Lock(name="fit", what="stage", inputs=(Item(path="data/train.csv", digest="a", size=1),))
>>> find_beside(["data/test.csv", "data/test.png", "data/train.csv", "data/b.csv", "test.csv"], {"fit": stage}, "fit")
['data/test.csv']
>>> whole = Lock(name="look", what="stage", inputs=(Item(path="data", digest="b", size=1, folder=True),))
>>> find_beside(["data/test.csv"], {"fit": stage, "look": whole}, "fit")
[]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from mintage.data.add import add_path
from mintage.pipeline.facts import Inspector
from mintage.pipeline.infer.roles import names_holdout
from mintage.pipeline.stage_data import find_item
from mintage.pipeline.table import SUFFIXES
from mintage.repo.locks import Item, Lock, read_locks

__all__ = ["find_beside", "keep_beside", "keep_tables", "lies_within_input"]


def find_beside(files: Iterable[str], locks: Mapping[str, Lock], fitted_by: str) -> list[str]:
    """Those of ``files`` that no lock names and that may be the hold-out of what the stage ``fitted_by`` fitted."""
    folders = _folders(locks, fitted_by)
    return [
        path
        for path in sorted(files)
        if PurePosixPath(path).parent in folders
        and path.lower().endswith(SUFFIXES)
        and names_holdout(path)
        and find_item(locks, path) is None
        and not lies_within_input(path, locks)
    ]


def lies_within_input(path: str, locks: Mapping[str, Lock]) -> bool:
    """Whether ``path`` is in a folder that some stage declares as an input."""
    items = [item for lock in locks.values() if lock.what == "stage" for item in lock.inputs]
    return any(item.folder and path.startswith(f"{item.path}/") for item in items)


def keep_beside(inspector: Inspector, fitted_by: str) -> None:
    """Keep the tables beside the training rows that have a hold-out's name; no table is opened.

    Nothing is kept while a stage has not run: what it will read is not known.
    """
    if any(name not in inspector.locks for name in inspector.project.stages):
        return
    root = inspector.workspace.root
    there = [file for folder in _folders(inspector.locks, fitted_by) for file in (root / folder).iterdir()]
    files = [file.relative_to(root).as_posix() for file in there if file.is_file() and not file.is_symlink()]
    keep_tables(inspector, find_beside(files, inspector.locks, fitted_by))


def keep_tables(inspector: Inspector, paths: Iterable[str]) -> None:
    """Keep those of ``paths`` that are files of the project and in no lock."""
    root = inspector.workspace.root
    for path in paths:
        if find_item(inspector.locks, path) is None and (root / path).is_file():
            add_path(inspector.workspace, path)
            inspector.locks = read_locks(root)


def _folders(locks: Mapping[str, Lock], fitted_by: str) -> set[PurePosixPath]:
    """The folders of the tables that the stage ``fitted_by`` reads."""
    lock = locks.get(fitted_by)
    items: tuple[Item, ...] = () if lock is None else lock.inputs
    tables = [item.path for item in items if not item.folder and item.path.lower().endswith(SUFFIXES)]
    return {PurePosixPath(path).parent for path in tables}
