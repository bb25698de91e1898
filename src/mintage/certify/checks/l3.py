"""L3, whether the hold-out is later than training: a model that serves tomorrow must not have learnt from it.

Times are those of the column that the model file declares as ``time``. With ``horizon_days`` so much must lie between
the last row of training and the first of the hold-out, for labels that are known so much later. The count covers every
row, so it has no interval. Of a split by chance, where time does not matter, do not ask for this.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number
from mintage.certify.times import times_of

__all__ = ["CHECK", "TimeOrder", "TimeOrderRequirement"]


class TimeOrderRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the hold-out may be earlier than the last row of training and ``horizon_days`` (or, of
    times that are numbers, as many of their units)."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    horizon_days: Annotated[float, Meta(ge=0)] = 0.0


class TimeOrder:
    """The check."""

    id = "L3"
    version = 0
    title = "order of training and hold-out in time"
    samples = False
    measured = False
    requirement_type = TimeOrderRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: TimeOrderRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share."""
        declared = None if evidence.spec is None else evidence.spec.time
        if declared is None and "time" not in evidence.holdout.extra:
            reason = "the model file declares no time"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        times = times_of(evidence)
        if times is None:
            reason = f"the declared time{f' {declared}' if declared else ''} is missing in a row, or no time in one"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        train, holdout = times
        last, first = float(train.max()), float(holdout.min())
        early = holdout < last + requirement.horizon_days
        named = _moments(evidence)
        told = f"; training ends at {_at(last, moments=named)}, the hold-out begins at {_at(first, moments=named)}"
        horizon = f", {requirement.horizon_days:g} days after" if requirement.horizon_days else ""
        return conclude(
            self,
            requirement,
            title=f"share of hold-out rows earlier than the end of training{horizon}",
            measurement=exact(float(early.mean()), rows=evidence.holdout.rows),
            gate=Gate(direction="at_most", threshold=requirement.max_share),
            details={"rows too early": int(early.sum()), "gap": first - last},
            also=told,
        )


def _moments(evidence: Evidence) -> bool:
    return not isinstance(evidence.train.extra["time"][0], (int, float))


def _at(value: float, *, moments: bool) -> str:
    return (datetime(1970, 1, 1) + timedelta(days=value)).isoformat(timespec="minutes") if moments else f"{value:g}"


CHECK = TimeOrder()
