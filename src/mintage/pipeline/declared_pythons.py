"""Which locks of environments a project names, and for which stages. Pure."""

from __future__ import annotations

from mintage.pipeline.environment import named_interpreter
from mintage.repo.locked_python import LockedPython
from mintage.repo.project import Project

__all__ = ["declared_pythons"]


def declared_pythons(project: Project) -> dict[LockedPython, tuple[str, ...]]:
    """Each lock as it is named, with the stages that run in it; the project's own comes first.

    >>> locked = LockedPython(lock="uv.lock")
    >>> declared_pythons(Project(project="p", python=locked))
    {LockedPython(lock='uv.lock', version=None, extras=(), groups=()): ()}
    """
    found: dict[LockedPython, tuple[str, ...]] = {}
    if isinstance(project.python, LockedPython):
        found[project.python] = ()
    for name in project.stages:
        named = named_interpreter(project, name)
        if isinstance(named, LockedPython):
            found[named] = (*found.get(named, ()), name)
    return found
