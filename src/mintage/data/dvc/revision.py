"""What a DVC project tracks at one revision, or in the work tree: every output of its ``.dvc`` files and ``dvc.lock``.

An output that a stage declares ``cache: false`` is in Git, not among DVC's objects. A file that cannot be read is a
problem of that revision, with its reason, and hides no other.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mintage.data.dvc.definitions import Definition, Read, definitions
from mintage.data.dvc.outs import Out, is_dvc_file, lock_stages, outs_of_dvc_file, path_in
from mintage.errors import MintageError

__all__ = ["Tracked", "declared", "own_files", "tracked", "uncached"]


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Outputs among DVC's objects, and what could not be read (file and reason)."""

    outs: tuple[Out, ...]
    problems: tuple[tuple[str, str], ...] = field(default=())


def own_files(paths: Iterable[str]) -> list[str]:
    """Of the paths of a tree those that say what this DVC project tracks; a project of its own further down is not
    part of it."""
    every = sorted(paths)
    inner = {posixpath.dirname(posixpath.dirname(path)) for path in every if path.endswith("/.dvc/config")} - {""}
    return [
        path
        for path in every
        if (is_dvc_file(path) or posixpath.basename(path) == "dvc.yaml")
        and not path.startswith(".dvc/")
        and not any(path.startswith(folder + "/") for folder in inner)
    ]


def tracked(read: Read, files: Iterable[str]) -> Tracked:
    """Everything that ``files`` (of ``own_files``) track, read through ``read``."""
    outs: list[Out] = []
    problems: list[tuple[str, str]] = []
    for path in files:
        if not is_dvc_file(path):
            continue
        try:
            outs += (
                _locked(read, path) if path.endswith("dvc.lock") else outs_of_dvc_file(read(path) or b"", where=path)
            )
        except MintageError as error:
            problems.append((path, f"{error.message}: {error.found}" if error.found else error.message))
    return Tracked(outs=tuple(outs), problems=tuple(problems))


def _locked(read: Read, path: str) -> list[Out]:
    pipeline = posixpath.join(posixpath.dirname(path), "dvc.yaml")
    stages = definitions(read, pipeline) if read(pipeline) is not None else []
    folder = posixpath.dirname(path)
    wdirs = {
        stage.name: posixpath.relpath(stage.base or ".", folder or ".") for stage in stages if stage.base is not None
    }
    in_git = {path for stage in stages for path in uncached(stage)}
    locked = lock_stages(read(path) or b"", where=path, wdirs=wdirs)
    return [out for stage in locked.values() for out in stage["outs"] if out.path not in in_git]


def uncached(stage: Definition) -> set[str]:
    """Paths of a stage's outputs that Git keeps (``cache: false``)."""
    found = set()
    for path, flags in declared(stage):
        if flags.get("cache") is False and path is not None:
            found.add(path)
    return found


def declared(
    stage: Definition, keys: Iterable[str] = ("outs", "metrics", "plots")
) -> list[tuple[str | None, dict[str, Any]]]:
    """The outputs under ``keys`` of a stage, from the root, with their flags; None for one outside the project."""
    found: list[tuple[str | None, dict[str, Any]]] = []
    for key in keys:
        for entry in stage.fields.get(key) or []:
            pairs: Mapping[str, Any] = entry if isinstance(entry, dict) else {str(entry): {}}
            for written, flags in pairs.items():
                path = path_in(stage.base, str(written)) if stage.base is not None else None
                found.append((path, flags if isinstance(flags, dict) else {}))
    return found
