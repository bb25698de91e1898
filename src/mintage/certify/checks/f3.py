"""F3, not worse than the champion by more than a margin.

Paired: both models answer the same hold-out rows. Without a champion it does not
apply, and the certificate says so.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, without_number
from mintage.certify.metric_interval import measure_gains
from mintage.certify.metric_requirement import MetricRequirement

__all__ = ["CHECK", "NonInferiority", "NonInferiorityRequirement"]


class NonInferiorityRequirement(MetricRequirement, frozen=True, kw_only=True):
    """The difference to the champion in ``metric`` must be at least ``-margin`` (positive is better)."""

    margin: Annotated[float, Meta(ge=0)]


class NonInferiority:
    """The check."""

    id = "F3"
    version = 1
    title = "not inferior to the champion"
    samples = True
    measured = False
    requirement_type = NonInferiorityRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: NonInferiorityRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the difference."""
        split, champion = evidence.holdout, evidence.champion
        if champion is None:
            reason = "not applicable: there is no champion to compare with"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        metric = requirement.metric_for(evidence.task)
        return conclude(
            self,
            requirement,
            title=f"{metric.label} gain over the champion",
            measurement=measure_gains(metric, split, {"champion": champion.answers}, resampling)["champion"],
            gate=Gate(direction="at_least", threshold=-requirement.margin),
            needed_unit=split.unit,
            details={"champion": champion.root},
        )


CHECK = NonInferiority()
