"""Ask for retrainings in a check, and conclude what to say when some were not done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from mintage.certify.check import Check, CheckResult, Requirement
from mintage.certify.evidence import Evidence
from mintage.certify.measure import without_number
from mintage.certify.retraining import Change, Retrainings

__all__ = ["Budget", "not_retrained", "retrain_all", "why_not"]

Budget = Annotated[float, Meta(gt=0, le=86_400)]
"""Seconds that all retrainings of one requirement may take together."""

_NO_PIPELINE: Final = Retrainings(
    done=(),
    why="it is not known how to train this model again",
    hint="judge it with `mintage certify` in the project whose stages made it",
)


def retrain_all(evidence: Evidence, changes: Sequence[Change], *, seed: int, budget_s: float) -> Retrainings:
    """The model retrained with each change, as far as that goes."""
    unnamed = any(change.kind in ("exchange", "half") and change.column is None for change in changes)
    if evidence.retraining is None or unnamed:
        return _NO_PIPELINE
    return evidence.retraining.retrain(changes, seed=seed, budget_s=budget_s)


def why_not(found: Retrainings, asked: int) -> str:
    """Why there are fewer retrainings than ``asked``, and what to do about it."""
    hint = f" ({found.hint})" if found.hint else ""
    return f"{len(found.done)} of {asked} retrainings were done: {found.why}{hint}"


def not_retrained(check: Check[Any], requirement: Requirement, found: Retrainings) -> CheckResult:
    """INCONCLUSIVE, with how far it came and why not further."""
    asked = int(getattr(requirement, "times", 1))
    reason = f"{check.title}: {why_not(found, asked)}"
    result = without_number(check, requirement, verdict="INCONCLUSIVE", reason=reason)
    return msgspec.structs.replace(result, details={"retrainings done": len(found.done), "retrainings asked": asked})
