"""Run one experiment in a work tree of its own, and keep what came out as the commit under its ref.

The run is an ordinary one: sandbox, cache, record and tracking are those of ``mintage run``. Models are not built: that
is for the experiment that is promoted. A stage that fails makes a failed experiment; an interrupted one stays planned.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from mintage.errors import MintageError
from mintage.pipeline.events import Event, RunOutcome
from mintage.pipeline.experiment.collection import keep_result
from mintage.pipeline.experiment.experiment import Experiment, Found
from mintage.pipeline.experiment.naming import joined_metrics
from mintage.pipeline.experiment.share import share
from mintage.pipeline.facts import Inspector
from mintage.pipeline.run import run_pipeline
from mintage.pipeline.select import Selection
from mintage.pipeline.session import Clock
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache
from mintage.tracking.runs import RunStore

__all__ = ["Slot"]


class Slot:
    """A work tree that experiments are run in, one after the other; the caller makes it and holds the run lock."""

    def __init__(
        self, own: Workspace, tree: Workspace, *, runs: Callable[[], RunStore], clock: Clock, actor: Callable[[], str]
    ) -> None:
        self.own = own
        self.tree = tree
        self._open = {"runs": runs, "clock": clock, "actor": actor}

    def run(self, planned: Found, *, on_event: Callable[[Event], None] = lambda _: None) -> Experiment:
        """Run it and keep the result; returns that."""
        git, one = self.tree.git, planned.experiment
        git.run("checkout", "-q", "--force", "--detach", planned.commit)
        started = time.monotonic()
        options: dict[str, Any] = {**self._open, "on_event": on_event}
        outcome, error = None, None
        try:
            with StatCache(self.own.cache_database) as cache:
                share(self.own, self.tree, cache)
            outcome = run_pipeline(self.tree, selection=Selection(targets=one.stages), **options)
        except MintageError as failed:
            error = f"{failed.code}: {failed.message}"
        result = msgspec.structs.replace(
            one,
            state="done" if error is None else "failed",
            metrics=self._metrics() if error is None else {},
            actions=_actions(outcome),
            run=outcome.run_id if outcome else None,
            error=error,
            duration_s=round(time.monotonic() - started, 3),
        )
        git.run("add", "-A", "--", ".")
        keep_result(self.own, planned, result, tree=git.run("write-tree"))
        return result

    def _metrics(self) -> dict[str, float]:
        with StatCache(self.own.cache_database) as cache:
            inspector = Inspector(self.tree, cache)
            return joined_metrics({stage: inspector.metrics(stage) for stage in inspector.project.stages})


def _actions(outcome: RunOutcome | None) -> dict[str, str]:
    return dict(outcome.actions) if outcome is not None else {}
