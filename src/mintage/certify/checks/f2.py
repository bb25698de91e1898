"""F2, better than the best trivial model.

The model is compared with each trivial model on the same hold-out rows and, where groups are
resampled, on the same resamples. It must beat
every one: the interval's ends are the least of the ends of the comparisons, so that PASS means that every bad end is
above ``min`` and FAIL that some good end is not. No correction is needed for that, and none for choosing the best.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from mintage.certify.answers import Task
from mintage.certify.baselines import BaselineName, baseline_values, baselines_of
from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude
from mintage.certify.metric_interval import measure_gains
from mintage.certify.metric_requirement import MetricRequirement
from mintage.errors import PolicyUnfitError
from mintage.stats.interval import Interval

__all__ = ["CHECK", "BetterThanTrivial", "BetterThanTrivialRequirement"]


class BetterThanTrivialRequirement(MetricRequirement, frozen=True, kw_only=True):
    """``min``: the improvement in ``metric`` over each model of ``against`` (by default all of the task) must lie above
    it."""

    min: float = 0.0
    against: Annotated[tuple[BaselineName, ...], Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET

    def rivals(self, task: Task) -> tuple[BaselineName, ...]:
        """The trivial models to beat."""
        return self.against if isinstance(self.against, tuple) else baselines_of(task)

    def check_task(self, task: Task) -> None:
        """See Requirement."""
        super().check_task(task)
        unknown = [name for name in self.rivals(task) if name not in baselines_of(task)]
        if unknown:
            raise PolicyUnfitError(
                f"the requirement {self.id} names a trivial model that is none of a {task}",
                expected=", ".join(baselines_of(task)),
                found=", ".join(unknown),
                hint="correct `against`, or leave it out for all of them",
            )


class BetterThanTrivial:
    """The check."""

    id = "F2"
    version = 1
    title = "better than the best trivial model"
    samples = True
    measured = False
    requirement_type = BetterThanTrivialRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: BetterThanTrivialRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the least improvement over the trivial models."""
        split, metric = evidence.holdout, requirement.metric_for(evidence.task)
        found = baseline_values(
            requirement.rivals(evidence.task),
            evidence.train.columns,
            evidence.train.labels,
            split.columns,
            task=evidence.task,
            classes=len(evidence.classes),
            seed=resampling.seed,
        )
        rivals = {name: split.answers.of(values) for name, values in found.items()}
        values = {name: metric.value(split.labels, rival) for name, rival in rivals.items()}
        comparisons = measure_gains(metric, split, rivals, resampling)
        best = max(values, key=lambda name: -math.inf if np.isnan(values[name]) else metric.sign * values[name])
        return conclude(
            self,
            requirement,
            title=f"{metric.label} gain over the best trivial model",
            measurement=_least(list(comparisons.values())),
            gate=Gate(direction="above", threshold=requirement.min),
            needed_unit=split.unit,
            details={"best": best} | {name: None if np.isnan(number) else number for name, number in values.items()},
            also="" if np.isnan(values[best]) else f" (best: {best}, {metric.label} {values[best]:.3f})",
        )


def _least(measurements: list[Measurement]) -> Measurement:
    open_ones = [item for item in measurements if item.interval is None or item.estimate is None]
    if open_ones:
        return open_ones[0]
    intervals = [item.interval for item in measurements if item.interval is not None]
    interval = Interval(
        low=min(item.low for item in intervals),
        high=min(item.high for item in intervals),
        confidence=intervals[0].confidence,
    )
    estimate = min(item.estimate for item in measurements if item.estimate is not None)
    first = measurements[0]
    return Measurement(estimate=estimate, interval=interval, rows=first.rows, groups=first.groups, method=first.method)


CHECK = BetterThanTrivial()
