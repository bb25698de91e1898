"""Run planned experiments, several at once if asked: each worker is a process with a work tree of its own.

What was planned and not yet run stays planned, so an interrupted sweep goes on where it stopped. Ctrl-C ends all
workers, each with its stage, and so does the end of the command that started them, however it came.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from mintage.errors import MintageError, RunError
from mintage.pipeline.experiment.experiment import Experiment, Found
from mintage.pipeline.experiment.run_one import Slot
from mintage.pipeline.session import Clock
from mintage.pipeline.worktree import worktree
from mintage.repo.workspace import Workspace
from mintage.tracking.runs import RunStore

__all__ = ["Opened", "run_all"]


class Opened(Protocol):
    """What a worker opens for itself, and closes."""

    @property
    def runs(self) -> RunStore: ...

    @property
    def actor(self) -> str: ...

    def close(self) -> None: ...


def run_all(
    workspace: Workspace,
    planned: Sequence[Found],
    *,
    jobs: int,
    opened: Callable[[], Opened],
    clock: Clock,
    on_end: Callable[[Experiment], None],
) -> None:
    """Run them all; ``on_end`` is told of each result, in the process that made it. The caller holds the run lock, and
    has nothing open: ``opened`` opens, in each worker. Raises RunError if a worker was killed."""
    if not planned:
        return
    _end_interrupted(opened, clock)
    if jobs == 1 or len(planned) == 1:
        _work(workspace, iter(planned), 0, opened=opened, clock=clock, on_end=on_end)
        return
    _run_beside(workspace, planned, jobs=jobs, opened=opened, clock=clock, on_end=on_end)


def _run_beside(workspace: Workspace, planned: Sequence[Found], *, jobs: int, **options: Any) -> None:
    """Share them among workers, each of which takes the next one that is left."""
    workers = multiprocessing.get_context("fork")
    turn, said = workers.Value("i", 0), workers.SimpleQueue()

    def work(number: int) -> None:
        _end_with_parent()
        try:
            _work(workspace, _taken(planned, turn), number, **options)
        except KeyboardInterrupt:
            os._exit(130)
        except (MintageError, OSError) as error:
            said.put(str(error))
            sys.exit(1)

    sys.stdout.flush()
    sys.stderr.flush()
    started = [workers.Process(target=work, args=(number,)) for number in range(min(jobs, len(planned)))]
    for process in started:
        process.start()
    _await(started)
    if any(process.exitcode for process in started):
        raise RunError(
            "a worker ended before its experiments were run",
            found="it was killed" if said.empty() else said.get(),
            hint="`mintage exp run --continue` runs the rest",
        )


def _await(started: Sequence[Any]) -> None:
    """Wait for all; a Ctrl-C is passed on to them, and waited for."""
    try:
        for process in started:
            process.join()
    except BaseException:
        for process in started:
            if process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        for process in started:
            process.join()
        raise


def _end_with_parent() -> None:
    """Ask the kernel (Linux) for a Ctrl-C when the process that started this one ends, be it by SIGKILL."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


def _taken(planned: Sequence[Found], turn: Any) -> Iterator[Found]:
    """Those that no other worker has taken."""
    while True:
        with turn.get_lock():
            index = turn.value
            turn.value += 1
        if index >= len(planned):
            return
        yield planned[index]


def _work(
    workspace: Workspace,
    planned: Iterator[Found],
    number: int,
    *,
    opened: Callable[[], Opened],
    clock: Clock,
    on_end: Callable[[Experiment], None],
) -> None:
    first = next(planned, None)
    if first is None:
        return
    context = opened()
    try:
        with worktree(workspace, revision=first.commit, name=f"experiments-{number}") as tree:
            runs = context.runs.beside_others()
            slot = Slot(workspace, tree, runs=lambda: runs, clock=clock, actor=lambda: context.actor)
            on_end(slot.run(first))
            for found in planned:
                on_end(slot.run(found))
    finally:
        context.close()


def _end_interrupted(opened: Callable[[], Opened], clock: Clock) -> None:
    """What is said to be running was killed: nothing runs while the run lock is held."""
    context = opened()
    try:
        context.runs.close_interrupted(finished=clock())
    finally:
        context.close()
