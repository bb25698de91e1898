"""One running run: its id and snapshot commit, what its stages did, and the record that is written of it.

Nothing is opened while all stages keep their outputs: a run that has nothing to do leaves no trace.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mintage.pipeline.facts import Inspector, flat_params
from mintage.record.envelope import Record
from mintage.repo.workspace import Workspace

if TYPE_CHECKING:
    from mintage.tracking.runs import RunStore

__all__ = ["Clock", "RunSession", "interrupted", "keep_environment"]

Clock = Callable[[], str]


@dataclass(kw_only=True)
class RunSession:
    """One running run: opened by the first stage that does not keep its outputs, closed once at the end."""

    workspace: Workspace
    runs: Callable[[], RunStore]
    clock: Clock
    actor: Callable[[], str]
    id: str = field(default_factory=lambda: time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + os.urandom(4).hex())
    commit: str = ""
    before: str = ""
    head: str | None = None
    started: str = ""
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    rests_on: dict[str, list[str]] = field(default_factory=dict)

    @functools.cached_property
    def hardware(self) -> dict[str, Any]:
        """What machine this is; no stage changes it."""
        from mintage.pipeline.hardware import hardware

        return hardware()

    @property
    def upstream(self) -> list[str]:
        """The digests that the run rests on, each once."""
        return list(dict.fromkeys(digest for digests in self.rests_on.values() for digest in digests))

    def open(self, inspector: Inspector) -> str | None:
        """Snapshot the code and enter the run; does nothing the second time. Returns the id of the run before it, if
        that was interrupted or killed."""
        if self.commit:
            return None
        self.started = self.clock()
        self.head = self.workspace.git.head()
        self.commit = self.before = self.workspace.git.snapshot(label=f"snapshot of run {self.id}")
        runs = self.runs()
        runs.close_interrupted(finished=self.started)
        last = next((row for row in runs.list_runs() if row.kind == "pipeline"), None)
        runs.start(
            run_id=self.id,
            kind="pipeline",
            name=inspector.project.project,
            commit_id=self.commit,
            started=self.started,
            actor=self.actor(),
            params=flat_params(inspector.params),
        )
        return last.id if last is not None and last.status == "interrupted" else None

    def take_in(self, paths: Sequence[str]) -> None:
        """Add files that the run itself wrote into the project to its snapshot, so that its record has them."""
        if self.commit and paths:
            label = f"snapshot of run {self.id}, with what it wrote"
            self.commit = self.workspace.git.extend_snapshot(self.commit, paths, head=self.head, label=label)

    def note(self, stage: str, entry: dict[str, Any], *, upstream: Sequence[str | None] = ()) -> None:
        """Enter what a stage did, and the digests that it rests on."""
        self.stages[stage] = entry
        self.rests_on[stage] = list(dict.fromkeys(digest for digest in upstream if digest is not None))

    def write_record(self, inspector: Inspector, status: str, *, only: str | None = None) -> str:
        """Write the run's record to the store; returns its id.

        While it goes on, what it knows of the stage ``only``: so the cost does not grow with the number of stages.
        """
        environment = keep_environment(inspector, None)
        body = {
            "run": self.id,
            "project": inspector.project.project,
            "status": status,
            "commit": self.commit,
            "head": self.head,
            "dirty": self.commit != self.head,
            "actor": self.actor(),
            "started": self.started,
            "finished": self.clock(),
            "environment": environment,
            "hardware": self.hardware,
            "params": inspector.params,
            "stages": self.stages if only is None else {only: self.stages[only]},
        }
        rests_on = self.upstream if only is None else self.rests_on[only]
        upstream = (environment, *(digest for digest in rests_on if digest != environment))
        return inspector.store.put_record(Record(kind="run", version=0, upstream=upstream, body=body))


def interrupted(inspector: Inspector, run: str) -> list[tuple[str, str]]:
    """The stages that were running when a run was interrupted, and what to say of each; ``run`` is its id."""
    workspace = inspector.workspace
    found = []
    for log in sorted((workspace.logs_dir / run).glob("*.log")):
        lock = inspector.locks.get(log.stem)
        record = lock.run if lock is not None and inspector.is_recorded(lock.run) else None
        if record is None or inspector.store.get_record(record).body.get("run") != run:
            said = log.relative_to(workspace.state.parent).as_posix()
            found.append(
                (log.stem, f"was interrupted in run {run}, and nothing of it was kept; its output is in {said}")
            )
    return found or [("run", f"{run} was interrupted; this one goes on")]


def keep_environment(inspector: Inspector, stage: str | None) -> str:
    """Put the environment of ``stage`` (None: of the project) into the store; returns its digest."""
    return inspector.store.put_bytes(inspector.environment(stage).text)
