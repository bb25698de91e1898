"""Give the runs that a stage logged stable names, to prefix their metrics, parameters and tags with. Pure.

The only run at the top has no prefix; each of several has its name, or its place if MLflow made the name up
(``nosy-shark-12``), since that is another at each run. A run within one is named after it.

>>> def run(id, name, parent=None): return LoggedRun(id=id, name=name, experiment="Default", parent=parent)
>>> name_runs([run("a", "fit"), run("b", "fold 1", "a"), run("c", "nosy-shark-12", "a")])
{'a': '', 'b': 'fold 1', 'c': 'run-2'}
>>> name_runs([run("a", "fit"), run("b", "fit"), run("c", "x", "b")])
{'a': 'fit', 'b': 'fit-2', 'c': 'fit-2.x'}
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mintage.pipeline.mlflow_log.logged import LoggedRun

__all__ = ["name_runs"]

_MADE_UP = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")
_LENGTH = 100


def name_runs(runs: Sequence[LoggedRun]) -> dict[str, str]:
    """The prefix of each run by its id; ``runs`` stand in the order in which they began."""
    known = {run.id for run in runs}
    children: dict[str | None, list[LoggedRun]] = {}
    for run in runs:
        children.setdefault(run.parent if run.parent in known and run.parent != run.id else None, []).append(run)
    found: dict[str, str] = {}
    waiting = [("", children.get(None, []), len(children.get(None, [])) == 1)]
    while waiting:
        prefix, siblings, only = waiting.pop(0)
        taken: set[str] = set()
        for place, run in enumerate(siblings, start=1):
            name = prefix if only else _free(_own_name(run, place), taken, prefix)
            found[run.id] = name
            waiting.append((name, children.get(run.id, []), False))
    for run in runs:  # runs that are each other's parents
        found.setdefault(run.id, run.id[:_LENGTH])
    return found


def _own_name(run: LoggedRun, place: int) -> str:
    return f"run-{place}" if not run.name or _MADE_UP.fullmatch(run.name) else run.name[:_LENGTH]


def _free(name: str, taken: set[str], prefix: str) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return f"{prefix}.{free}" if prefix else free
