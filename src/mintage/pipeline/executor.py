"""Where the command of a stage runs: on this machine, in a worker that has the remote alone, on a cluster.

An executor has one call that lasts until the command has ended. What a longer protocol would have (submit, poll,
cancel, logs) is in its arguments: it is called in a thread of its own, asks ``stop`` at least twice a second, and
writes what the command says into ``log`` as it goes on. See docs/adr/0013-one-call-executor.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from mintage.pipeline.facts import StageFacts
from mintage.pipeline.stage_run import StageOutcome, execute_stage
from mintage.repo.project import ModelEntry
from mintage.repo.workspace import Workspace

__all__ = ["LOCAL", "Executor", "Local"]


class Executor(Protocol):
    """Runs the command of one stage; several threads may call it at once.

    ``is_here`` says that what stages take (``resources``) is taken of this machine.
    """

    @property
    def is_here(self) -> bool: ...

    def execute(
        self,
        workspace: Workspace,
        facts: StageFacts,
        *,
        models: Mapping[str, ModelEntry],
        log: Path,
        known: Callable[[Path], str | None],
        stop: Callable[[], bool],
    ) -> StageOutcome:
        """Run it once; its outputs, log and notebook are in the workspace's store then, by the digests of the outcome.
        ``known`` gives the digest of a file if it needs no read.

        Raises StageFailedError as its command ended; StageStoppedError where ``stop`` says so, with nothing left
        running; WorkerLostError if whoever ran it cannot be heard any more or answered what is not so: then nothing
        has changed, and it may be tried again.
        """
        ...


class Local:
    """A process of this machine, in a scratch folder of the project's own state."""

    is_here = True

    def execute(
        self,
        workspace: Workspace,
        facts: StageFacts,
        *,
        models: Mapping[str, ModelEntry],
        log: Path,
        known: Callable[[Path], str | None],
        stop: Callable[[], bool],
    ) -> StageOutcome:
        return execute_stage(workspace, facts, models=models, log=log, known=known, stop=stop)


LOCAL = Local()
