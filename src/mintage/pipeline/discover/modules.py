"""Which files of a project a script imports, and how it must be started for that to work. Pure, over names.

>>> from mintage.pipeline.discover.script import read_script
>>> files = ["churn/__init__.py", "churn/train.py", "churn/model.py"]
>>> script = read_script("churn/train.py", "from .model import build\\nbuild().fit()")
>>> imported_by(script, files)
('churn/model.py',)
>>> command_for(script, files)
'python -m churn.train'
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping

from mintage.pipeline.discover.script import Script

__all__ = ["command_for", "foreign_imports", "imported_by", "reaches"]

_SPECIAL = frozenset(" \t\"'\\$&();<>|*?#~`")


def imported_by(script: Script, files: Collection[str]) -> tuple[str, ...]:
    """Files of the project that it imports itself."""
    found = {path for level, name in script.imports for path in _files_of(script, level, name, files)}
    return tuple(sorted(found - {script.path}))


def reaches(start: str, scripts: Mapping[str, Script]) -> set[str]:
    """All scripts that ``start`` imports, directly or through others."""
    seen: set[str] = set()
    queue = [start]
    while queue:
        script = scripts.get(queue.pop())
        for path in imported_by(script, scripts) if script else ():
            if path not in seen:
                seen.add(path)
                queue.append(path)
    return seen


def foreign_imports(script: Script, files: Collection[str]) -> set[str]:
    """Top names that it imports and that are no files of the project."""
    names = {name for level, name in script.imports if not level}
    own = {name.partition(".")[0] for name in names if _files_of(script, 0, name, files)}
    return {name.partition(".")[0] for name in names} - own


def command_for(script: Script, files: Collection[str], there: Collection[str] = ()) -> str:
    """How it is started from the project's folder, where ``there`` are the files that are no code."""
    if script.notebook:
        return _word(script.path)
    stem = posixpath.splitext(script.path)[0].removesuffix("/__main__")
    base = "src/" if script.path.startswith("src/") and _in_package(script, files) else ""
    module = stem.removeprefix(base).replace("/", ".")
    as_module = all(part.isidentifier() for part in module.split(".")) and "/" in script.path
    if as_module and (_in_package(script, files) or _needs_root(script, files)):
        return f"sh -c 'PYTHONPATH=src:$PYTHONPATH python -m {module}'" if base else f"python -m {module}"
    if _at_home(script, there) and not set(script.path) & _SPECIAL:
        return f"sh -c 'cd {script.folder} && python {posixpath.basename(script.path)}'"
    return f"python {_word(script.path)}"


def _at_home(script: Script, there: Collection[str]) -> bool:
    """Whether its paths are meant from its own folder: they lead above it, or what they name lies only there."""
    if not script.folder:
        return False
    above = any(path.startswith("../") for path in (*script.reads, *script.writes))
    return above or any(path not in there and posixpath.join(script.folder, path) in there for path in script.reads)


def _in_package(script: Script, files: Collection[str]) -> bool:
    """Whether it belongs to a package and imports of it, or is started by the package's name."""
    if posixpath.basename(script.path) == "__main__.py":
        return True
    package = posixpath.join(script.folder, "__init__.py") in files
    top = script.path.removeprefix("src/").partition("/")[0]
    own = any(level > 0 or name.partition(".")[0] == top for level, name in script.imports)
    return own and (package or any(level > 0 for level, _ in script.imports))


def _needs_root(script: Script, files: Collection[str]) -> bool:
    """Whether it imports what lies in the project's folder, which a script in a folder below does not see."""
    beside = {name for level, name in script.imports if not level and _at(script.folder, name, files)}
    return any(
        not level and name not in beside and _at("", name, files) and not _at(script.folder, name, files)
        for level, name in script.imports
    )


def _files_of(script: Script, level: int, name: str, files: Collection[str]) -> list[str]:
    if level:
        base = script.folder
        for _ in range(level - 1):
            base = posixpath.dirname(base)
        return _at(base, name, files)
    for base in (script.folder, "", "src"):
        if found := _at(base, name, files):
            return found
    return []


def _at(base: str, name: str, files: Collection[str]) -> list[str]:
    """The module's own file, or the one that holds the name which is imported from it."""
    parts = name.split(".")
    for count in (len(parts), len(parts) - 1):
        stem = posixpath.join(base, *parts[:count]) if count else ""
        found = [path for path in (f"{stem}.py", f"{stem}/__init__.py") if stem and path in files]
        if found:
            return found
    return []


def _word(path: str) -> str:
    """A path as a word of ``run:``, which is split as a shell would."""
    return f"'{path}'" if set(path) & _SPECIAL else path
