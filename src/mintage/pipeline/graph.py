"""The graph of stages: who needs whose output, and an order in which all can run. Pure.

>>> from mintage.repo.project import Stage
>>> order({"b": Stage(run="x", inputs=("m",)), "a": Stage(run="y", out=("m",))})
('a', 'b')
"""

from __future__ import annotations

from collections.abc import Mapping

from mintage.errors import ProjectError
from mintage.repo.project import Stage

__all__ = ["maker_of", "order", "upstream"]


def maker_of(stages: Mapping[str, Stage], path: str) -> str | None:
    """The stage that writes ``path``, or the folder that holds it; None for a file of the project."""
    for name, stage in stages.items():
        for out in stage.outputs:
            clean = out.rstrip("/")
            if path == clean or path.startswith(clean + "/"):
                return name
    return None


def upstream(stages: Mapping[str, Stage]) -> dict[str, tuple[str, ...]]:
    """For each stage those whose outputs it reads, sorted."""
    found = {}
    for name, stage in stages.items():
        makers = {maker_of(stages, path.rstrip("/")) for path in stage.inputs}
        found[name] = tuple(sorted(maker for maker in makers if maker is not None))
    return found


def order(stages: Mapping[str, Stage], *, target: str | None = None) -> tuple[str, ...]:
    """Stages so that each comes after what it needs; with ``target``, only it and what it needs.

    Ties keep the order of the file. Raises ProjectError naming the stages of a cycle.
    """
    needs = upstream(stages)
    done: list[str] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if name in done:
            return
        if name in path:
            cycle = " -> ".join([*path[path.index(name) :], name])
            raise ProjectError("stages need each other in a circle", found=cycle, where="mintage.yaml")
        path.append(name)
        for maker in needs[name]:
            visit(maker)
        path.pop()
        done.append(name)

    for name in stages if target is None else (target,):
        visit(name)
    return tuple(done)
