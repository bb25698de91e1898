"""Look at a folder that is to be a project: its stages, interpreter, and what Git should not take in.

``survey`` reads and decides; it writes nothing and runs nothing of the folder.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.errors import FileMissingError, ProjectError, UsageError
from mintage.pipeline.discover.choose import Choice, Step, choose, steps_of
from mintage.pipeline.discover.environment import Found, find_environment, lock_files
from mintage.pipeline.discover.folder import Folder, look_at
from mintage.pipeline.discover.ignorable import Ignorable, ignorable
from mintage.pipeline.discover.modules import foreign_imports, reaches
from mintage.pipeline.discover.script import Script, read_script
from mintage.repo.git import Git

__all__ = ["Survey", "keep_out", "survey"]

_DVC = ("dvc.yaml", ".dvc")


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found: the choice of stages, the interpreter, files that name an environment, and what lies there;
    ``dvc`` if the folder is a project of DVC."""

    choice: Choice
    environment: Found
    locks: tuple[str, ...]
    folder: Folder
    dvc: bool


def survey(
    root: Path,
    git: Git | None,
    *,
    named: Sequence[str],
    variables: Mapping[str, str],
    decide: Callable[[Choice], str | None],
) -> Survey:
    """``git`` is None where there is no repository yet; ``named`` are scripts that the user named; ``decide`` says
    which of the rivals is meant (None: all of them) and may raise."""
    folder = look_at(root)
    dvc = any((root / name).exists() for name in _DVC)
    ignored = git.ignored(list(folder.files)) if git is not None else set()
    scripts = {} if dvc and not named else folder.scripts(without=ignored)
    if named:
        choice = _named(folder, [posixpath.normpath(path) for path in named], scripts)
    else:
        there = folder.files.keys() - scripts.keys()
        choice = choose(scripts, there=there)
        if choice.rivals:
            chosen = decide(choice)
            if chosen is None:
                choice = Choice(steps=steps_of(sorted(choice.rivals), scripts, there))
            else:
                choice = choose(scripts, there=there, heart=chosen)
    modules = _modules(choice.steps, scripts)
    return Survey(
        choice=choice,
        environment=find_environment(root, folder.environments, modules, variables),
        locks=lock_files([path for path in folder.files if "/" not in path]),
        folder=folder,
        dvc=dvc,
    )


def keep_out(folder: Folder, git: Git) -> Ignorable:
    """What .gitignore should name: data, secrets, environments, caches that Git neither has nor ignores."""
    found = [*folder.environments, *folder.clutter]
    folders = [path if (folder.root / path).is_symlink() else f"{path}/" for path in found]  # to Git a link is a file
    ignored = git.ignored([*folder.files, *folders])
    tracked = git.tracked()
    files = ignorable({path: size for path, size in folder.files.items() if path not in ignored}, tracked=tracked)
    own = [path for path in folders if path not in ignored and not any(each.startswith(path) for each in tracked)]
    return Ignorable(data=files.data, secrets=files.secrets, tracked=files.tracked, own=tuple(own))


def _named(folder: Folder, named: Sequence[str], scripts: dict[str, Script]) -> Choice:
    """Stages of the named scripts, in the order given."""
    root = folder.root
    for path in named:
        if not path.endswith((".py", ".ipynb")) or path.startswith(("/", "../")):
            raise UsageError("not a script", expected="a .py or .ipynb file by its path in this folder", found=path)
        if not (root / path).is_file():
            raise FileMissingError(f"there is no {path} here", where=str(root), hint="correct the path")
        script = read_script(path, (root / path).read_text(encoding="utf-8", errors="replace"))
        if script is None:
            kind = "a notebook of Python" if path.endswith(".ipynb") else "valid Python"
            raise ProjectError(f"{path} cannot be read", expected=kind, where=path, hint="correct it first")
        scripts[path] = script
    return Choice(steps=steps_of(named, scripts, folder.files.keys() - scripts.keys()))


def _modules(steps: Sequence[Step], scripts: Mapping[str, Script]) -> set[str]:
    """Top names that the stages import from outside the project."""
    used = {path for step in steps for path in (step.path, *reaches(step.path, scripts))}
    return set().union(*(foreign_imports(scripts[path], scripts) for path in used if path in scripts))
