"""Which of a repository's files are code, so that a stage may use them without naming them. Pure.

Programs and templates are, wherever they lie. Settings and texts are where they belong to a package: in a folder, not
the root, that holds Python itself or lies in one that does. Data are not, and tables above all: one that no stage
declares is unseen, and may be a hold-out. Nor is what Mintage or a person keeps apart: mintage.yaml, params.yaml,
locks, policies, files named like secrets.

>>> sources_among(["fit.py", "conf.yaml", "lib/a.py", "lib/sql/q.sql", "lib/t/b.yaml", "lib/x.csv", "models/m.yaml"])
['fit.py', 'lib/a.py', 'lib/sql/q.sql', 'lib/t/b.yaml']
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath

from mintage.pipeline.params import PARAMS_FILE
from mintage.pipeline.recording.mirror import LEFT_OUT
from mintage.pipeline.secret import looks_secret

__all__ = ["apart_from", "narrowed", "sources_among"]

_PROGRAMS = frozenset(
    (
        *(".py", ".pyi", ".sh", ".bash", ".r", ".jl", ".lua", ".pl", ".stan", ".sql"),
        *(".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".mako"),
    )
)
_BESIDE = frozenset(
    (
        *(".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".conf", ".txt", ".md", ".html", ".css", ".js", ".xml"),
        *(".graphql", ".proto", ".avsc"),
    )
)
_OURS = ("models/", "policies/", "releases/")
_MOST = 1000


def sources_among(paths: Iterable[str]) -> list[str]:
    """Those of ``paths`` that are code, sorted."""
    known = sorted(path for path in paths if not LEFT_OUT & {*path.split("/")} and not looks_secret(path))
    packages = {folder for path in known if path.endswith(".py") and (folder := path.rpartition("/")[0])}
    return [path for path in known if _is_source(path, packages)]


def _is_source(path: str, packages: Collection[str]) -> bool:
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in _PROGRAMS:
        return True
    return (
        suffix in _BESIDE
        and path != PARAMS_FILE
        and not (path.startswith(_OURS) and path.count("/") == 1)
        and any(folder in packages for folder in _above(path))
    )


def _above(path: str) -> list[str]:
    """The folders that a path lies in, the root left out.

    >>> _above("a/b/c.txt")
    ['a', 'a/b']
    """
    places = [place for place, letter in enumerate(path) if letter == "/"]
    return [path[:place] for place in places]


def apart_from(paths: Iterable[str], taken: Iterable[str]) -> list[str]:
    """``paths`` without those that are ``taken``, or lie in a folder that is.

    >>> apart_from(["a/x.py", "b/y.py", "z.py"], ["a/", "z.py"])
    ['b/y.py']
    """
    known = {path.rstrip("/") for path in taken}
    return [path for path in paths if path not in known and known.isdisjoint(_above(path))]


def narrowed(paths: Sequence[str], code: Iterable[str]) -> list[str]:
    """``paths``, if a stage can have a copy of each; of a crowd those in the topmost folders that hold its ``code``, or
    none if these hold a crowd too."""
    if len(paths) <= _MOST:
        return list(paths)
    tops = {path.partition("/")[0] for path in code}
    near = [path for path in paths if path.partition("/")[0] in tops]
    return near if len(near) <= _MOST else []
