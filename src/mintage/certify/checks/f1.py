"""F1, the primary metric on the hold-out.

Any metric of the model's task with its interval. ``min`` where more is better, ``max`` for a loss. With ``precision``
half the interval must not be wider than that: an estimate that is not known so well does not pass, and the result says
how many rows would tell.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude
from mintage.certify.metric import MetricName, higher_is_better
from mintage.certify.metric_interval import measure_metric
from mintage.certify.metric_requirement import MetricRequirement

__all__ = ["CHECK", "PrimaryMetric", "PrimaryMetricRequirement"]


class PrimaryMetricRequirement(MetricRequirement, frozen=True, kw_only=True):
    """``metric`` and its threshold: ``min`` where more is better, ``max`` where less is; ``precision``, the largest
    half-width of its interval."""

    metric: MetricName
    min: float | msgspec.UnsetType = msgspec.UNSET
    max: float | msgspec.UnsetType = msgspec.UNSET
    precision: Annotated[float, Meta(gt=0)] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
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
    version = 1
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
        split, metric = evidence.holdout, requirement.metric_for(evidence.task)
        result = conclude(
            self,
            requirement,
            title=metric.label,
            measurement=measure_metric(metric, split, resampling),
            gate=requirement.gate,
            needed_unit=split.unit,
        )
        if isinstance(requirement.precision, float):
            return _precise(result, requirement.precision, split.unit)
        return result


def _precise(result: CheckResult, precision: float, unit: str) -> CheckResult:
    """The result, INCONCLUSIVE where it passes on an interval that is wider than asked for.

    An interval shrinks with the square root of the count. What fails, fails however wide the interval is.
    """
    if result.interval is None or result.groups is None or result.verdict == "FAIL":
        return result
    half = (result.interval.high - result.interval.low) / 2
    if half <= precision:
        return result
    needed = max(result.needed or 0, math.ceil(result.groups * (half / precision) ** 2))
    wide = f"known to ±{half:.3g}, which must be ±{precision:.3g}: about {needed:,} {unit} would settle it"
    reason = f"{result.reason}; {wide}, {result.groups:,} now"
    return msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=reason, needed=needed, needed_unit=unit)


CHECK = PrimaryMetric()
