"""Try a stage, and again where its ``retry`` says so, or where the worker that had it was lost.

Each attempt has a scratch folder of its own and adds to the one log; the last one counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mintage.errors import StageFailedError, StageStoppedError, WorkerLostError
from mintage.pipeline.executor import LOCAL, Executor
from mintage.pipeline.facts import StageFacts
from mintage.pipeline.stage_run import StageOutcome
from mintage.repo.project import ModelEntry
from mintage.repo.stage import Retry
from mintage.repo.workspace import Workspace
from mintage.store.statcache import StatCache

__all__ = ["Attempted", "attempt_stage", "is_retried"]

_LOOK_S = 0.2
_USAGE = 2
_MOST_LOST = 2


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """What the last attempt made, and how those before it ended."""

    outcome: StageOutcome
    attempts: tuple[dict[str, Any], ...]

    @property
    def remarks(self) -> list[str]:
        """What a person should know of it."""
        ended = ", then ".join(str(attempt["ended"]) for attempt in self.attempts)
        return [f"ended well at attempt {len(self.attempts) + 1}, after {ended}"] if self.attempts else []


def attempt_stage(
    workspace: Workspace,
    facts: StageFacts,
    *,
    models: Mapping[str, ModelEntry],
    log: Path,
    stop: Callable[[], bool],
    executor: Executor | None = None,
) -> Attempted:
    """Run the command of ``facts`` until it ends well or may not be tried again; raises what ended the last attempt.

    It opens the cache of digests for itself, so that stages can run in threads beside each other.
    """
    attempts: list[dict[str, Any]] = []
    lost = 0
    while True:
        try:
            outcome = _executed(workspace, facts, models=models, log=log, stop=stop, executor=executor or LOCAL)
            return Attempted(outcome=outcome, attempts=tuple(attempts))
        except StageFailedError as error:
            if not is_retried(facts.stage.retry, error.ended, attempt=len(attempts) - lost + 1):
                if attempts:
                    error.message = f"{error.message}\n(attempt {len(attempts) + 1}; the log has all of them)"
                raise
            attempts.append({"ended": _said(error.ended)})
            _rest(facts.stage.retry, len(attempts) - lost, stop)
        except WorkerLostError as error:
            if lost == _MOST_LOST:
                error.message = f"{error.message}\n(attempt {len(attempts) + 1})"
                raise
            lost += 1
            attempts.append({"ended": error.said})


def _executed(
    workspace: Workspace,
    facts: StageFacts,
    *,
    models: Mapping[str, ModelEntry],
    log: Path,
    stop: Callable[[], bool],
    executor: Executor,
) -> StageOutcome:
    with StatCache(workspace.cache_database) as cache:
        known = cache.known_digest
        if facts.used is None:
            return executor.execute(workspace, facts, models=models, log=log, known=known, stop=stop)
        from mintage.pipeline.use_run import execute_used

        return execute_used(workspace, facts, facts.used, log=log, known=known, stop=stop, executor=executor)


def is_retried(retry: Retry | None, ended: int | str | None, *, attempt: int) -> bool:
    """Whether a stage whose ``attempt`` ended so is tried again.

    >>> [is_retried(Retry(max=2), ended, attempt=attempt) for ended, attempt in ((1, 2), (1, 3), (2, 1))]
    [True, False, False]
    >>> is_retried(Retry(max=2, on=(137,)), -9, attempt=1), is_retried(Retry(max=2, on=(137,)), 1, attempt=1)
    (True, False)
    """
    if retry is None or ended is None or attempt > retry.max or ended == _USAGE:
        return False
    if retry.on is None:
        return True
    as_shell = 128 - ended if isinstance(ended, int) and ended < 0 else ended  # 137 is SIGKILL to a shell
    return ended in retry.on or as_shell in retry.on


def _said(ended: int | str | None) -> str:
    if isinstance(ended, int):
        return f"signal {-ended}" if ended < 0 else f"exit code {ended}"
    return "a time-out"


def _rest(retry: Retry | None, attempt: int, stop: Callable[[], bool]) -> None:
    """Wait before the next attempt, twice as long each time."""
    until = time.monotonic() + (retry.backoff_s * 2 ** (attempt - 1) if retry is not None else 0.0)
    while (left_s := until - time.monotonic()) > 0:
        if stop():
            raise StageStoppedError("the stage was not tried again because the run ended")
        time.sleep(min(_LOOK_S, left_s))
