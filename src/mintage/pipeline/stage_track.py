"""Enter what a stage made in the tracking database: metrics, artifacts, and what its command logged with MLflow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mintage.pipeline.facts import StageFacts, StageResult
from mintage.pipeline.mlflow_log.tracked import tracked
from mintage.pipeline.session import RunSession
from mintage.store.local import Store
from mintage.tracking.runs import Artifact, Metric

__all__ = ["track"]


def track(
    session: RunSession,
    store: Store,
    facts: StageFacts,
    result: StageResult,
    *,
    params: Mapping[str, Any] | None = None,
) -> None:
    """Enter them under the session's run, all in one transaction, with the stage's ``params`` if they are given."""
    logged = tracked(store, result.mlflow, stage=facts.name)
    session.runs().log_stage(
        session.id,
        metrics=[
            Metric(stage=facts.name, key=key, value=math.nan if value is None else value, step=step)
            for key, value, step in result.metrics
        ]
        + logged.metrics,
        artifacts=[
            Artifact(stage=facts.name, path=item.path, digest=item.digest, size=item.size) for item in result.outputs
        ]
        + logged.artifacts,
        entries=logged.entries,
        params=params,
        at=session.clock(),
    )
