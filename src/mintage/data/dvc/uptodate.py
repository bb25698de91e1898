"""Whether dvc.lock vouches for a stage: its command, inputs, parameters and outputs are those of the work tree.

It is DVC's word, no more: dvc.lock knows nothing of the packages, nor of files that the stage did not declare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mintage.data.dvc.definitions import Definition, Read, find_param, load_values
from mintage.data.dvc.index import Index
from mintage.data.dvc.objects import md5_of_file
from mintage.data.dvc.outs import Out, path_in
from mintage.data.dvc.revision import declared
from mintage.errors import MintageError

__all__ = ["Matcher", "why_not_vouched"]


class Matcher:
    """Compares files of the work tree with DVC's names, each once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[tuple[str, str | None], bool] = {}

    def __call__(self, out: Out) -> bool:
        """Whether the work tree has the bytes that ``out`` names, at its path."""
        if out.path is None:
            return False
        key = (out.path, out.name)
        if key not in self._known:
            self._known[key] = matches(self.root / out.path, out)
        return self._known[key]


def why_not_vouched(
    stage: Definition, locked: Mapping[str, Any] | None, *, matcher: Matcher, read: Read, index: Index
) -> str:
    """Why dvc.lock does not vouch for ``stage``; empty if it does. ``locked`` is its entry of ``lock_stages``."""
    if locked is None:
        return "it has no entry in dvc.lock"
    if locked["cmd"] != stage.fields["cmd"]:
        return "its command is not that of dvc.lock"
    wanted = {path_in(stage.base or "", str(dep)) for dep in stage.fields.get("deps") or []}
    if wanted != {out.path for out in locked["deps"]}:
        return "its deps are not those of dvc.lock"
    if {path for path, _ in declared(stage)} != {out.path for out in locked["outs"]}:
        return "its outs are not those of dvc.lock"
    for dep in locked["deps"]:
        if not matcher(dep):
            return f"{dep.path or 'an input'} is not what dvc.lock says"
    for out in locked["outs"]:
        held = out.name in index.objects
        there = out.path is not None and (matcher.root / out.path).exists()
        if out.name is None or (there and not matcher(out)) or not (there or held):
            return f"{out.path} is not what dvc.lock says"
    return _params_differ(stage, locked["params"], read)


def matches(path: Path, out: Out) -> bool:
    """Whether the file or folder at ``path`` has the bytes that DVC's name stands for; links are followed."""
    if out.name is None or not path.exists() or path.is_dir() != out.folder:
        return False
    if not out.folder:
        return out.name in md5_of_file(path, legacy=out.legacy)
    return out.name in (
        f"{_folder_md5(path, legacy=legacy)}.dir" for legacy in ((False, True) if out.legacy else (False,))
    )


def _folder_md5(folder: Path, *, legacy: bool) -> str:
    """The MD5 that DVC gives a folder: of the sorted list of its files as JSON."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    members = sorted(
        (
            {"md5": md5_of_file(path, legacy=legacy)[-1], "relpath": path.relative_to(folder).as_posix()}
            for path in files
        ),
        key=lambda member: member["relpath"].split("/"),
    )
    return hashlib.md5(json.dumps(members, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _params_differ(stage: Definition, locked: Mapping[str, Any], read: Read) -> str:
    for written, values in locked.items():
        path = path_in(stage.base or "", str(written))
        if path is None or path.endswith(".py") or not isinstance(values, dict):
            return f"the parameters of {written} cannot be compared"
        try:
            now = load_values(read, path)
        except MintageError as error:
            return error.message
        for key, value in values.items():
            if not _same(find_param(now, str(key)), value):
                return f"the parameter {key} is not that of dvc.lock"
    return ""


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal. DVC writes 1e-05 for a number, which the YAML 1.1 of Python reads as a text."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, str) != isinstance(other, str):
        try:
            return float(one) == float(other)
        except (TypeError, ValueError):
            return False
    return bool(one == other)
