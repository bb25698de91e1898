"""Which stage runs next: what it needs is done, and the machine has room for it. Pure.

>>> queue = ReadyQueue(["a", "b", "c"], needs={"c": ("a", "b")}, demands={}, capacity=Capacity(jobs=2))
>>> queue.next(), queue.next(), queue.next()
('a', 'b', None)
>>> queue.done("a"); queue.fail("b")
['c']
>>> queue.next() is None and queue.is_over
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

__all__ = ["Capacity", "Demand", "ReadyQueue"]

_SLACK = 1e-9


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How many stages run at once, and what they may take together; None: no limit is known."""

    jobs: int = 1
    cpu: float | None = None
    gpu: float | None = None
    memory_gib: float | None = None


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What one stage takes while it runs; ``mutex`` are names that one stage at a time may hold, ``alone`` says that
    nothing else runs beside it."""

    cpu: float = 0.0
    gpu: float = 0.0
    memory_gib: float = 0.0
    mutex: tuple[str, ...] = ()
    alone: bool = False


class ReadyQueue:
    """The stages of a run in their order; each is given out once. A stage that asks for more than there is runs when
    nothing else does."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        needs: Mapping[str, Iterable[str]],
        demands: Mapping[str, Demand],
        capacity: Capacity,
    ) -> None:
        self._waiting: dict[str, set[str]] = {}
        self._users: dict[str, list[str]] = {}
        self._ready: dict[str, None] = {}
        self._running: dict[str, Demand] = {}
        self._place = {name: index for index, name in enumerate(names)}
        self._demands, self._capacity = demands, capacity
        for name in names:
            missing = {maker for maker in needs.get(name, ()) if maker in self._place}
            for maker in missing:
                self._users.setdefault(maker, []).append(name)
            if missing:
                self._waiting[name] = missing
            else:
                self._ready[name] = None

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing can."""
        return not self._running and not self._ready

    def next(self) -> str | None:
        """A stage that may start now; None while there is none."""
        for name in self._ready:
            demand = self._demands.get(name, Demand())
            if self._fits(demand):
                del self._ready[name]
                self._running[name] = demand
                return name
        return None

    def done(self, name: str) -> None:
        """``name`` ended well."""
        self._running.pop(name, None)
        freed = []
        for user in self._users.get(name, ()):
            missing = self._waiting.get(user)
            if missing is not None:
                missing.discard(name)
                if not missing:
                    del self._waiting[user]
                    freed.append(user)
        if freed:  # ready stages keep the order of the file
            self._ready = dict.fromkeys(sorted([*self._ready, *freed], key=self._place.__getitem__))

    def fail(self, name: str) -> list[str]:
        """``name`` failed: what needs it, directly or not, never runs, and is returned in order."""
        self._running.pop(name, None)
        lost: set[str] = set()
        waiting = [name]
        while waiting:
            for user in self._users.get(waiting.pop(), ()):
                if user in self._waiting:
                    del self._waiting[user]
                    lost.add(user)
                    waiting.append(user)
        return sorted(lost, key=self._place.__getitem__)

    def stop(self) -> list[str]:
        """Give out nothing more; what will not run, in order."""
        left = sorted([*self._ready, *self._waiting], key=self._place.__getitem__)
        self._ready.clear()
        self._waiting.clear()
        return left

    def _fits(self, demand: Demand) -> bool:
        beside = self._running.values()
        if not beside:
            return True
        if demand.alone or any(other.alone for other in beside) or len(beside) >= self._capacity.jobs:
            return False
        if any(set(demand.mutex) & set(other.mutex) for other in beside):
            return False
        for what in ("cpu", "gpu", "memory_gib"):
            limit = getattr(self._capacity, what)
            taken = sum(getattr(other, what) for other in beside)
            if limit is not None and taken + getattr(demand, what) > limit + _SLACK:
                return False
        return True
