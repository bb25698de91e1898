"""Which stages of a project a run is about. Pure.

>>> from mintage.repo.project import parse_project
>>> project = parse_project(b'''
... project: p
... stages:
...   a: {run: x, out: [a.txt]}
...   b: {run: x, in: [a.txt], out: [b.txt]}
...   c: {run: x, in: [b.txt], out: [c.txt]}
... ''', where="mintage.yaml")
>>> select(project, Selection(targets=("b",))).stages, select(project, Selection(start="b")).stages
(('a', 'b'), ('b', 'c'))
>>> select(project, Selection(targets=("c",), only=True)).stages
('c',)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from mintage.errors import UnknownNameError
from mintage.pipeline.graph import downstream, order, upstream
from mintage.repo.nearest import nearest_hint
from mintage.repo.project import Project

__all__ = ["EVERYTHING", "Chosen", "Selection", "select"]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was asked for: ``targets`` and what they need (none: everything), or with ``only`` nothing beside them;
    what comes after ``start``; what changed ``since`` a revision, and what comes after that. ``jobs`` stages run at
    once; with ``keep_going`` one that fails stops only what needs it."""

    targets: tuple[str, ...] = ()
    start: str | None = None
    only: bool = False
    since: str | None = None
    jobs: int = 1
    keep_going: bool = False


EVERYTHING = Selection()


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The stages in running order; the names of the models to build, None for all that there are; ``named`` are the
    stages that were asked for by name."""

    stages: tuple[str, ...]
    models: tuple[str, ...] | None
    named: tuple[str, ...] = ()


def select(
    project: Project,
    selection: Selection,
    *,
    models: Sequence[str] = (),
    changed: Callable[[str], Collection[str]] = lambda _: (),
) -> Chosen:
    """The stages of ``selection``; ``models`` are the stages that build models, ``changed`` those that differ since a
    revision. Raises UnknownNameError."""
    stages = project.stages
    named = tuple(name for target in selection.targets for name in members(project, target, models))
    own = tuple(name for name in stages if name in named)
    wanted = tuple(name for name in models if name in named)
    if selection.only:
        return Chosen(stages=tuple(name for name in order(stages) if name in own), models=wanted, named=own)
    if selection.start is not None or selection.since is not None:
        roots = set(own)
        if selection.start is not None:
            roots |= set(members(project, selection.start))
        if selection.since is not None:
            roots |= set(changed(selection.since))
        found = downstream(upstream(stages), roots)
        return Chosen(stages=tuple(name for name in order(stages) if name in found), models=None, named=own)
    if not named:
        return Chosen(stages=order(stages), models=None)
    return Chosen(stages=order(stages, target=None if wanted else own), models=wanted, named=own)


def members(project: Project, name: str, models: Sequence[str] = ()) -> tuple[str, ...]:
    """The stages that ``name`` means: itself, or the members of what is written once and runs several times.

    Raises UnknownNameError.
    """
    if name in project.families:
        return project.families[name]
    if name in project.stages or name in models:
        return (name,)
    known = (*project.stages, *project.families, *models)
    raise UnknownNameError(
        f"there is no stage {name!r}",
        expected=", ".join(known[:20]) or "none declared",
        where="mintage.yaml",
        hint=nearest_hint(name, known, otherwise="declare it under `stages:` in mintage.yaml"),
    )
