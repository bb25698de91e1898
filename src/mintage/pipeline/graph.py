"""The graph of stages: who needs whose output, and an order in which all can run. Pure.

>>> from mintage.repo.project import Stage
>>> order({"b": Stage(run="x", inputs=("m",)), "a": Stage(run="y", out=("m",))})
('a', 'b')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mintage.errors import StageCycleError
from mintage.repo.project import Stage

__all__ = ["Makers", "downstream", "maker_of", "order", "upstream"]


class Makers:
    """Who writes what: looked up in a time that does not grow with the number of stages."""

    def __init__(self, stages: Mapping[str, Stage]) -> None:
        self._by_path: dict[str, str] = {}
        self._within: dict[str, list[str]] = {}
        for name, stage in stages.items():
            for out in stage.outputs:
                path = out.rstrip("/")
                self._by_path.setdefault(path, name)
                for parent in _parents(path):
                    self._within.setdefault(parent, []).append(name)

    def of(self, path: str) -> str | None:
        """The stage that writes ``path``, or the folder that holds it; None for a file of the project."""
        for candidate in (path, *_parents(path)):
            if candidate in self._by_path:
                return self._by_path[candidate]
        return None

    def all_of(self, path: str) -> set[str]:
        """The stages that write ``path``, or a part of it where it is a folder of the project."""
        maker = self.of(path)
        return {maker} if maker is not None else set(self._within.get(path, ()))


def _parents(path: str) -> Iterator[str]:
    """The folders that hold ``path``, the nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def maker_of(stages: Mapping[str, Stage], path: str) -> str | None:
    """The stage that writes ``path``, or the folder that holds it; None for a file of the project."""
    return Makers(stages).of(path)


def upstream(stages: Mapping[str, Stage]) -> dict[str, tuple[str, ...]]:
    """For each stage those whose outputs it reads, sorted."""
    makers = Makers(stages)
    found = {}
    for name, stage in stages.items():
        needed = {maker for path in stage.inputs for maker in makers.all_of(path.rstrip("/"))}
        found[name] = tuple(sorted(needed))
    return found


def downstream(needs: Mapping[str, Iterable[str]], roots: Iterable[str]) -> set[str]:
    """``roots`` and all stages that need one of them, directly or not."""
    users: dict[str, list[str]] = {}
    for name, makers in needs.items():
        for maker in makers:
            users.setdefault(maker, []).append(name)
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += users.get(name, ())
    return found


def order(stages: Mapping[str, Stage], *, target: str | Iterable[str] | None = None) -> tuple[str, ...]:
    """Stages so that each comes after what it needs; with ``target`` (one, or some), only they and what they need.

    Ties keep the order of the file. Raises StageCycleError naming the stages of a cycle.
    """
    needs = upstream(stages)
    targets = list(stages) if target is None else [target] if isinstance(target, str) else list(target)
    done: dict[str, None] = {}
    path: dict[str, None] = {}
    for root in targets:
        if root in done:
            continue
        path[root] = None
        waiting = [iter(needs[root])]
        while waiting:
            name = next(reversed(path))
            maker = next(waiting[-1], None)
            if maker is None:
                waiting.pop()
                del path[name]
                done[name] = None
            elif maker in path:
                steps = list(path)
                raise _cycle((*steps[steps.index(maker) :], maker))
            elif maker not in done:
                path[maker] = None
                waiting.append(iter(needs[maker]))
    return tuple(done)


def _cycle(names: tuple[str, ...]) -> StageCycleError:
    error = StageCycleError(
        "stages need each other in a circle",
        expected="each stage after those whose outputs it reads",
        found=" -> ".join(names),
        where="mintage.yaml",
        hint="let one of them write another path, or take it from the `in:` of the other",
    )
    error.cycle = names
    return error
