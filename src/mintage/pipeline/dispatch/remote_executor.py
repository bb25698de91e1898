"""An executor that hands stages out by digest, whatever the engine: ``connect`` opens the way to a worker for a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mintage.pipeline.dispatch.channel import Channel
from mintage.pipeline.dispatch.messages import Job
from mintage.pipeline.dispatch.submit import hear, publish, take
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.secret import secret_values
from mintage.pipeline.stage_run import StageOutcome
from mintage.repo.project import ModelEntry
from mintage.repo.stage import Resources
from mintage.repo.workspace import Workspace
from mintage.store.local import Store

__all__ = ["SILENCE_S", "Connect", "RemoteExecutor"]

SILENCE_S = 60.0
"""A worker says something every five seconds; one that does not for this long is taken for dead."""

Connect = Callable[[Workspace, Job, Resources], Channel]


class RemoteExecutor:
    """Runs stages by workers that have ``remote`` alone; ``variables`` gives the values that are handed over."""

    def __init__(
        self,
        remote: Store,
        connect: Connect,
        *,
        variables: Mapping[str, str],
        is_here: bool,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.remote, self.connect, self.variables = remote, connect, variables
        self._is_here, self.silence_s = is_here, silence_s

    @property
    def is_here(self) -> bool:
        return self._is_here

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
        store = Store(workspace.store_dir)
        action, digest = publish(workspace, facts, models=models, store=store, remote=self.remote)
        before = log.stat().st_size if log.is_file() else 0
        job = self._job(workspace, facts, digest)
        with self.connect(workspace, job, facts.stage.resources) as channel:
            answer = hear(channel, log=log, stop=stop, silence_s=self.silence_s)
        return take(
            answer,
            workspace=workspace,
            facts=facts,
            action=action,
            digest=digest,
            store=store,
            remote=self.remote,
            log=log,
            before=before,
        )

    def _job(self, workspace: Workspace, facts: StageFacts, digest: str) -> Job:
        given = {name: self.variables[name] for name in facts.stage.env if name in self.variables}
        last = facts.lock.inputs if facts.lock is not None else ()
        return Job(
            action=digest,
            remote=str(self.remote.root),
            env={name: value for name, value in given.items() if not secret_values({name: value})},
            python=None if facts.environment.named is None else facts.environment.python,
            hide=tuple(sorted({str(workspace.root), str(workspace.state.parent)})) if self.is_here else (),
            new_inputs={item.path for item in last} != {item.path for item in facts.inputs},
        )
