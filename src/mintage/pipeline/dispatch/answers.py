"""From what a stage made to an answer, and from an answer to what a stage made. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from mintage.data.transfer import Need
from mintage.errors import MintageError, RunError
from mintage.pipeline.dispatch.messages import Answer, Logged, Outcome
from mintage.pipeline.mlflow_log.keep import KeptLog
from mintage.pipeline.sandbox import Finished
from mintage.pipeline.stage_run import StageOutcome

__all__ = ["error_of", "failed_with", "needs_of_answer", "outcome_of", "stage_outcome"]


def outcome_of(outcome: StageOutcome) -> Outcome:
    """The outcome as a message has it."""
    kept = outcome.mlflow
    return Outcome(
        outputs=outcome.outputs,
        metrics=tuple(
            (key, value if math.isfinite(value) else str(value), step) for key, value, step in outcome.metrics
        ),
        duration_s=outcome.finished.duration_s,
        left=outcome.finished.left,
        remarks=outcome.remarks,
        seeds=outcome.seeds,
        used=outcome.used,
        mlflow=None if kept is None else Logged(record=kept.record, metrics=kept.metrics, said=kept.said),
        seen=None if outcome.saw is None else outcome.saw.names,
        sandbox=outcome.sandbox,
    )


def stage_outcome(outcome: Outcome, *, log: str, notebook: str | None) -> StageOutcome:
    """The outcome as a run takes it; raises ValueError for a metric whose value is no number."""
    kept = outcome.mlflow
    return StageOutcome(
        outputs=outcome.outputs,
        metrics=tuple((key, float(value), step) for key, value, step in outcome.metrics),
        finished=Finished(exit_code=0, duration_s=outcome.duration_s, timed_out=False, left=outcome.left),
        log=log,
        notebook=notebook,
        remarks=outcome.remarks,
        seeds=outcome.seeds,
        used=outcome.used,
        mlflow=None if kept is None else KeptLog(record=kept.record, metrics=kept.metrics, said=kept.said),
        sandbox=outcome.sandbox,
    )


def needs_of_answer(answer: Answer) -> list[Need]:
    """The blobs that an answer names, which are in the remote before it is given."""
    needs = [Need(digest, "bytes") for digest in (answer.log, answer.notebook) if digest is not None]
    if answer.outcome is not None:
        needs += [Need(item.digest, "folder" if item.folder else "bytes") for item in answer.outcome.outputs]
        if answer.outcome.mlflow is not None:
            needs.append(Need(answer.outcome.mlflow.record, "evidence"))
    return needs


def failed_with(action: str, error: MintageError, *, root: Path, log: str | None) -> Answer:
    """The answer of a worker that met an error other than that the command failed, with the ``log`` if that had begun;
    its own folders are left out."""
    said = {key: value.replace(f"{root}/", "") for key, value in error.as_dict().items()}
    return Answer(action=action, error=said, log=log)


def error_of(said: dict[str, str]) -> MintageError:
    """The error that a worker met, of its own class again.

    >>> error_of({"code": "pipeline.output-missing", "message": "no m.bin", "hint": "write it"})
    StageOutputMissingError('no m.bin')
    """
    kind = next((kind for kind in _kinds(MintageError) if kind.code == said.get("code")), RunError)
    parts = {key: said[key] for key in ("expected", "found", "where", "hint") if key in said}
    return kind(said.get("message", "the worker met an error"), **parts)


def _kinds(kind: type[MintageError]) -> Iterator[type[MintageError]]:
    yield kind
    for sub in kind.__subclasses__():
        yield from _kinds(sub)
