"""Run the stages of a plan, as many at once as there is room for, each after what it needs.

Deciding, restoring and recording happen here, one after the other; only commands run beside each other, in threads. The
first failure lets what is running end and starts nothing more; with ``keep_going`` only what needs it is left out. On
Ctrl-C all commands are ended first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mintage.errors import MintageError
from mintage.pipeline.ready import Capacity, ReadyQueue
from mintage.pipeline.runner import Runner, Work

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from mintage.pipeline.attempts import Attempted
    from mintage.pipeline.facts import StageFacts

    Done = tuple[StageFacts, Attempted]

__all__ = ["capacity_for", "run_stages"]

_LOOK_S = 0.5


def capacity_for(jobs: int) -> Capacity:
    """What this machine has for ``jobs`` stages at once: its CPUs, never fewer than jobs, and its memory."""
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return Capacity(jobs=jobs, cpu=float(max(jobs, os.cpu_count() or 1)), memory_gib=memory)


def run_stages(
    runner: Runner, names: Sequence[str], *, needs: Mapping[str, Sequence[str]], jobs: int, keep_going: bool
) -> dict[str, MintageError]:
    """Bring the stages up to date; returns what failed, by stage, in the order in which it did."""
    demands = {name: runner.demand(name) for name in names}
    elsewhere = runner.executor is not None and not runner.executor.is_here
    capacity = Capacity(jobs=jobs) if elsewhere else capacity_for(jobs)
    queue = ReadyQueue(names, needs=needs, demands=demands, capacity=capacity)
    stages = _StageRuns(runner, queue, keep_going=keep_going)
    if jobs == 1:
        stages.go(None)
        return stages.failed
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="stage") as pool:
        try:
            stages.go(pool)
        except BaseException:
            stages.stopped = True
            raise
    return stages.failed


class _StageRuns:
    """The stages of one run, with what runs now."""

    def __init__(self, runner: Runner, queue: ReadyQueue, *, keep_going: bool) -> None:
        self.runner, self.queue, self.keep_going = runner, queue, keep_going
        self.running: dict[Future[Done], Work] = {}
        self.failed: dict[str, MintageError] = {}
        self.stopped = False

    def go(self, pool: ThreadPoolExecutor | None) -> None:
        """Run all; without a pool, or alone, a command runs in this thread."""
        while not self.queue.is_over:
            while (name := self.queue.next()) is not None:
                self._start(name, pool)
            for future in self._ended():
                work = self.running.pop(future)
                try:
                    self.runner.complete(work, *future.result())
                    self.queue.done(work.facts.name)
                except MintageError as error:
                    self._fail(work.facts.name, error)

    def _start(self, name: str, pool: ThreadPoolExecutor | None) -> None:
        try:
            work = self.runner.begin(name)
            if work is not None and pool is not None and not work.learns:
                self.running[pool.submit(self.runner.perform, work, self._is_stopped)] = work
                return
            if work is not None:
                self.runner.complete(work, *self.runner.perform(work, self._is_stopped))
        except MintageError as error:
            self._fail(name, error)
        else:
            self.queue.done(name)

    def _is_stopped(self) -> bool:
        return self.stopped

    def _fail(self, name: str, error: MintageError) -> None:
        self.failed[name] = error
        for lost in self.queue.fail(name):
            self.runner.skip(lost, because=name)
        if not self.keep_going:
            self.queue.stop()

    def _ended(self) -> list[Future[Done]]:
        """Commands that have ended; waits for one. It looks up now and then, so that a Ctrl-C is not lost."""
        if not self.running:
            return []
        from concurrent.futures import FIRST_COMPLETED, wait

        ended: set[Future[Done]] = set()
        while not ended:
            ended = wait(self.running, timeout=_LOOK_S, return_when=FIRST_COMPLETED).done
        return list(ended)
