"""What the record of a run says of one stage whose command ran. Pure; the fields are in docs/spec/records.md."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mintage.pipeline.facts import StageFacts
from mintage.pipeline.stage_run import StageOutcome

__all__ = ["entry_of"]


def entry_of(
    facts: StageFacts,
    outcome: StageOutcome,
    *,
    why: Sequence[str],
    attempts: Sequence[Mapping[str, Any]],
    environment: str | None,
    parameters: Mapping[str, Any],
    variables: Mapping[str, str],
    recorded: Mapping[str, Any],
    used: Mapping[str, Any],
) -> dict[str, Any]:
    """The entry; ``variables`` are those that the determinism level set, ``recorded`` and ``used`` what a recording and
    a use of another repository keep."""
    kept, level = outcome.mlflow, facts.stage.determinism
    optional = {
        "attempts": list(attempts),
        "notebook": outcome.notebook,
        "determinism": None if level == "off" else level,
        "worker": outcome.worker,
        "sandbox": outcome.sandbox,
        "mlflow": kept.record if kept else None,
        "use": used,
    }
    measured = {key: value for key, value, _ in outcome.metrics if math.isfinite(value)}
    return {
        "action": "run",
        "key": facts.key,
        "parts": facts.parts,
        "inputs": msgspec.to_builtins(facts.inputs),
        "outputs": msgspec.to_builtins(outcome.outputs),
        "metrics": measured | (kept.metrics if kept else {}),
        "why": list(why),
        "duration_s": round(outcome.finished.duration_s, 3),
        "environment": environment,
        "log": outcome.log,
        "parameters": parameters,
        "seeds": list(outcome.seeds),
        "used": list(outcome.used),
        "remarks": list(outcome.remarks),
        **({} if level == "off" else {"variables": variables}),
        **{name: value for name, value in optional.items() if value},
        **recorded,
    }
