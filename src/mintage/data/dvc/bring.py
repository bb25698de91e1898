"""Bring in the objects of a DVC project: of the work tree first, then of its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mintage.data.dvc.history import History, Past, commits_of, tracked_here
from mintage.data.dvc.index import Index
from mintage.data.dvc.objects import Bringer
from mintage.data.dvc.outs import Out
from mintage.data.dvc.revision import Tracked
from mintage.repo.git import Git
from mintage.store.local import Store

__all__ = ["Imported", "bring_objects"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What was brought in: the index, the outputs of the work tree, and per problem of a revision where and why.

    ``lost_now`` are objects of the work tree that could not be had, ``lost_before`` those of earlier revisions, each
    with a place that names it.
    """

    index: Index
    current: tuple[Out, ...]
    commits: int
    problems: tuple[tuple[str, str], ...]
    lost_now: dict[str, str]
    lost_before: dict[str, str]


def bring_objects(
    git: Git,
    root: Path,
    store: Store,
    folders: Sequence[Path],
    *,
    history: History,
    before: Index | None,
    progress: Progress = lambda done, total: None,
) -> Imported:
    """Bring in all objects that revisions of the project name; ``before`` is the index of an earlier import.

    ``progress`` is called with the objects done and their number.
    """
    commits = commits_of(git, history)
    here = tracked_here(git, root)
    named = _Named(here)
    past = Past(git)
    for commit in commits:
        named.add(past.tracked(commit), commit, problems=commit != commits[0])  # HEAD's are those of the work tree
    objects = dict(before.objects) if before else {}
    bringer = Bringer(store=store, folders=folders, known=dict(objects))
    for count, (name, (out, _)) in enumerate(named.wanted.items(), 1):
        found = bringer.bring(out, beside=root / out.path if out.path and name in named.now else None)
        if found is not None:
            objects[name] = found
        progress(count, len(named.wanted))
    lost = {name: reason for name, reason in bringer.faults.items() if name in named.wanted}
    places = {name: f"{named.wanted[name][1]} ({name}): {reason}" for name, reason in lost.items()}
    return Imported(
        index=Index(commit=commits[0], history=history, objects=objects, missing=dict(sorted(lost.items()))),
        current=here.outs,
        commits=len(commits),
        problems=tuple(dict.fromkeys(named.problems)),
        lost_now={name: place for name, place in places.items() if name in named.now},
        lost_before={name: place for name, place in places.items() if name not in named.now},
    )


class _Named:
    """Objects that revisions name, each with the first place that does, the present first; and what is in the way."""

    def __init__(self, here: Tracked) -> None:
        self.wanted = {out.name: (out, out.source) for out in here.outs if out.name is not None}
        self.now = frozenset(self.wanted)
        self.problems = [*here.problems, *((out.source, out.left_out) for out in here.outs if out.left_out)]

    def add(self, then: Tracked, commit: str, *, problems: bool) -> None:
        for out in then.outs:
            if out.name is not None:
                self.wanted.setdefault(out.name, (out, f"{out.path} at {commit[:12]}"))
        if problems:
            self.problems += [(f"{path} at {commit[:12]}", reason) for path, reason in then.problems]
