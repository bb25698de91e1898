"""F1, the primary metric on the hold-out.

AUC, log-loss or Brier score with an interval that resamples groups. ``min`` for AUC, ``max`` for a loss.
"""

from __future__ import annotations

import msgspec

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import bootstrap_of, conclude, measured_samples
from mintage.certify.metric import MetricName, higher_is_better, metric_label, metric_samples, metric_value

__all__ = ["CHECK", "PrimaryMetric", "PrimaryMetricRequirement"]


class PrimaryMetricRequirement(Requirement, frozen=True, kw_only=True):
    """``metric`` and its threshold: ``min`` where more is better, ``max`` where less is."""

    metric: MetricName
    min: float | msgspec.UnsetType = msgspec.UNSET
    max: float | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        wanted, other = ("min", "max") if higher_is_better(self.metric) else ("max", "min")
        if getattr(self, wanted) is msgspec.UNSET or getattr(self, other) is not msgspec.UNSET:
            raise ValueError(f"{self.metric} takes `{wanted}`, and not `{other}`")

    @property
    def gate(self) -> Gate:
        """The gate that the threshold makes."""
        if isinstance(self.min, float):
            return Gate(direction="at_least", threshold=self.min)
        assert isinstance(self.max, float)
        return Gate(direction="at_most", threshold=self.max)


class PrimaryMetric:
    """The check."""

    id = "F1"
    version = 0
    title = "primary metric on the hold-out"
    samples = True
    measured = False
    requirement_type = PrimaryMetricRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: PrimaryMetricRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the metric."""
        split, metric = evidence.holdout, requirement.metric
        bootstrap = bootstrap_of(split, resampling, stream="holdout")
        measurement = measured_samples(
            metric_value(metric, split.labels, split.scores),
            metric_samples(metric, split.labels, split.scores, bootstrap),
            rows=split.rows,
            groups=[bootstrap.groups],
            resampling=resampling,
        )
        return conclude(self, requirement, title=metric_label(metric), measurement=measurement, gate=requirement.gate)


CHECK = PrimaryMetric()
