"""What DVC tracks: the outputs that a ``.dvc`` file or a ``dvc.lock`` names by MD5, with paths from the project's root.

A path that leads outside the project is never followed: the output has ``path`` None and its reason in ``left_out``.

>>> text = b"outs:\\n- {md5: 0f343b0931126a20f133d67c2b018a3b, path: raw.csv}\\n"
>>> outs_of_dvc_file(text, where="data/raw.csv.dvc")[0].path
'data/raw.csv'
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mintage.errors import FileMalformedError, RecordInvalidError
from mintage.record.manifest import safe_path
from mintage.repo.yamlfile import load_yaml

__all__ = ["Out", "is_dvc_file", "lock_stages", "locked_out", "outs_of_dvc_file", "path_in"]

_OBJECT = re.compile(r"[0-9a-f]{32}(\.dir)?")
LOCK_NAME = "dvc.lock"


@dataclass(frozen=True, kw_only=True)
class Out:
    """One tracked path: ``name`` is its object (MD5, with ``.dir`` for a folder), None if DVC names none.

    ``legacy`` objects are of DVC 1 and 2, whose MD5 of a text file ignores carriage returns. ``source`` is the file
    that says so.
    """

    path: str | None
    name: str | None
    legacy: bool
    size: int
    source: str
    left_out: str | None = None

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.name is not None and self.name.endswith(".dir")


def is_dvc_file(path: str) -> bool:
    """Whether a path of the repository says what DVC tracks."""
    name = posixpath.basename(path)
    return name == LOCK_NAME or (name.endswith(".dvc") and name != ".dvc")


def path_in(base: str, path: str) -> str | None:
    """``path`` as written in a file of the folder ``base``, from the root; None if it leads outside the project."""
    if "://" in path or posixpath.isabs(path):
        return None
    clean = posixpath.normpath(posixpath.join(base, path))
    try:
        return safe_path(clean)
    except RecordInvalidError:
        return None


@lru_cache(maxsize=65536)
def outs_of_dvc_file(data: bytes, *, where: str) -> tuple[Out, ...]:
    """The outputs of a ``.dvc`` file; raises FileMalformedError. One that many commits have is parsed once."""
    value = _mapping(data, where)
    folder = posixpath.dirname(where)
    base = posixpath.join(folder, str(value.get("wdir") or ""))
    return tuple(locked_out(entry, base=base, where=where) for entry in _entries(value.get("outs"), where))


def lock_stages(data: bytes, *, where: str, wdirs: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """The stages of a ``dvc.lock`` with ``outs`` and ``deps`` as ``Out``, ``cmd`` and ``params`` as they stand.

    The lock does not say in which folder a stage runs, from where its paths are: ``wdirs`` does, by stage.
    """
    value = _mapping(data, where)
    stages = value.get("stages") if "schema" in value else value
    found: dict[str, dict[str, Any]] = {}
    for name, stage in (stages or {}).items():
        if not isinstance(stage, dict):
            raise FileMalformedError("a stage of the lock is not a mapping", found=str(name), where=where)
        base = posixpath.join(posixpath.dirname(where), (wdirs or {}).get(name, ""))
        found[name] = {
            "cmd": stage.get("cmd"),
            "params": stage.get("params") or {},
            "deps": [locked_out(entry, base=base, where=where) for entry in _entries(stage.get("deps"), where)],
            "outs": [locked_out(entry, base=base, where=where) for entry in _entries(stage.get("outs"), where)],
        }
    return found


def locked_out(entry: dict[str, Any], *, base: str, where: str) -> Out:
    """One entry of ``outs`` or ``deps``."""
    written = entry.get("path")
    if not isinstance(written, str):
        raise FileMalformedError("an output has no path", where=where)
    path = path_in(base, written)
    name = entry.get("md5")
    reason = None
    if path is None:
        reason = f"{written} lies outside the project"
    elif entry.get("cache") is False:
        name = None  # Git has it
    elif "files" in entry or "cloud" in entry:
        reason = f"{written} is kept as versions of a bucket, not by MD5"
    elif not name:
        reason = f"{written} has no MD5"
    elif not isinstance(name, str) or not _OBJECT.fullmatch(name):
        raise FileMalformedError("not the name of a DVC object", expected="32 hex digits", found=str(name), where=where)
    size = entry.get("size")
    return Out(
        path=path,
        name=name if reason is None and isinstance(name, str) else None,
        legacy=entry.get("hash") != "md5",
        size=size if isinstance(size, int) else 0,
        source=where,
        left_out=reason,
    )


def _mapping(data: bytes, where: str) -> dict[str, Any]:
    value, _ = load_yaml(data, where=where)
    if not isinstance(value, dict):
        raise FileMalformedError("not a file of DVC's", expected="named values", where=where)
    return value


def _entries(value: Any, where: str) -> Iterator[dict[str, Any]]:
    if value is None:
        return
    if not isinstance(value, list):
        raise FileMalformedError("outs and deps must be lists", where=where)
    for entry in value:
        if not isinstance(entry, dict):
            raise FileMalformedError("an output is not a mapping", found=str(entry)[:80], where=where)
        yield entry
