"""F5, the overfitting gap: the metric on training rows minus the metric on the hold-out.

Training and hold-out are samples of their own; positive means worse on the hold-out.
"""

from __future__ import annotations

import math

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude
from mintage.certify.metric_interval import measure_gap
from mintage.certify.metric_requirement import MetricRequirement

__all__ = ["CHECK", "OverfittingGap", "OverfittingGapRequirement"]


class OverfittingGapRequirement(MetricRequirement, frozen=True, kw_only=True):
    """The gap in ``metric`` must be at most ``max``."""

    max: float


class OverfittingGap:
    """The check."""

    id = "F5"
    version = 1
    title = "overfitting gap"
    samples = True
    measured = False
    requirement_type = OverfittingGapRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: OverfittingGapRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the gap."""
        metric, train, holdout = requirement.metric_for(evidence.task), evidence.train, evidence.holdout
        on_train, on_holdout = (metric.value(split.labels, split.answers) for split in (train, holdout))
        order = "training minus hold-out" if metric.sign > 0 else "hold-out minus training"
        return conclude(
            self,
            requirement,
            title=f"{metric.label} gap, {order}",
            measurement=measure_gap(metric, train, holdout, resampling),
            gate=Gate(direction="at_most", threshold=requirement.max),
            needed_unit=holdout.unit,
            details={
                "train": None if math.isnan(on_train) else on_train,
                "holdout": None if math.isnan(on_holdout) else on_holdout,
            },
        )


CHECK = OverfittingGap()
