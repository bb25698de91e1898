"""F5, the overfitting gap: the metric on training rows minus the metric on the hold-out.

Training and hold-out are resampled by group, each on its own; positive means worse on the hold-out.
"""

from __future__ import annotations

import math

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import bootstrap_of, conclude, measured_samples
from mintage.certify.metric import MetricName, higher_is_better, metric_label, metric_samples, metric_value

__all__ = ["CHECK", "OverfittingGap", "OverfittingGapRequirement"]


class OverfittingGapRequirement(Requirement, frozen=True, kw_only=True):
    """The gap in ``metric`` must be at most ``max``."""

    metric: MetricName = "roc_auc"
    max: float


class OverfittingGap:
    """The check."""

    id = "F5"
    version = 0
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
        metric, train, holdout = requirement.metric, evidence.train, evidence.holdout
        sign = 1.0 if higher_is_better(metric) else -1.0
        of_train = bootstrap_of(train, resampling, stream="train")
        of_holdout = bootstrap_of(holdout, resampling, stream="holdout")
        on_train = metric_value(metric, train.labels, train.scores)
        on_holdout = metric_value(metric, holdout.labels, holdout.scores)
        samples = sign * (
            metric_samples(metric, train.labels, train.scores, of_train)
            - metric_samples(metric, holdout.labels, holdout.scores, of_holdout)
        )
        return conclude(
            self,
            requirement,
            title=f"{metric_label(metric)} gap, training minus hold-out"
            if sign > 0
            else f"{metric_label(metric)} gap, hold-out minus training",
            measurement=measured_samples(
                sign * (on_train - on_holdout),
                samples,
                rows=holdout.rows,
                groups=[of_train.groups, of_holdout.groups],
                resampling=resampling,
            ),
            gate=Gate(direction="at_most", threshold=requirement.max),
            details={
                "train": None if math.isnan(on_train) else on_train,
                "holdout": None if math.isnan(on_holdout) else on_holdout,
            },
        )


CHECK = OverfittingGap()
