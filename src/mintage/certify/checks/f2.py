"""F2, better than the best trivial model.

The model is compared with each trivial model on the same hold-out rows and the same resamples of groups. It must beat
every one: the interval's ends are the least of the ends of the comparisons, so that PASS means that every bad end is
above ``min`` and FAIL that some good end is not. No correction is needed for that, and none for choosing the best.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from msgspec import Meta

from mintage.certify.baselines import BASELINES, BaselineName, baseline_scores
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, bootstrap_of, conclude, measured_samples
from mintage.certify.metric import MetricName, higher_is_better, metric_label, metric_samples, metric_value
from mintage.stats.interval import Interval

__all__ = ["CHECK", "BetterThanTrivial", "BetterThanTrivialRequirement"]


class BetterThanTrivialRequirement(Requirement, frozen=True, kw_only=True):
    """``min``: the improvement in ``metric`` over each model of ``against`` must lie above it."""

    metric: MetricName = "roc_auc"
    min: float = 0.0
    against: Annotated[tuple[BaselineName, ...], Meta(min_length=1)] = BASELINES


class BetterThanTrivial:
    """The check."""

    id = "F2"
    version = 0
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
        split, metric = evidence.holdout, requirement.metric
        sign = 1.0 if higher_is_better(metric) else -1.0
        train = evidence.train
        rivals = baseline_scores(requirement.against, train.columns, train.labels, split.columns, seed=resampling.seed)
        bootstrap = bootstrap_of(split, resampling, stream="holdout")
        value = metric_value(metric, split.labels, split.scores)
        samples = metric_samples(metric, split.labels, split.scores, bootstrap)
        values = {name: metric_value(metric, split.labels, scores) for name, scores in rivals.items()}
        comparisons = {
            name: measured_samples(
                sign * (value - values[name]),
                sign * (samples - metric_samples(metric, split.labels, scores, bootstrap)),
                rows=split.rows,
                groups=[bootstrap.groups],
                resampling=resampling,
            )
            for name, scores in rivals.items()
        }
        best = max(values, key=lambda name: -math.inf if np.isnan(values[name]) else sign * values[name])
        label = metric_label(metric)
        return conclude(
            self,
            requirement,
            title=f"{label} gain over the best trivial model",
            measurement=_least(list(comparisons.values())),
            gate=Gate(direction="above", threshold=requirement.min),
            details={"best": best} | {name: None if np.isnan(number) else number for name, number in values.items()},
            also="" if np.isnan(values[best]) else f" (best: {best}, {label} {values[best]:.3f})",
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
    return Measurement(estimate=estimate, interval=interval, rows=measurements[0].rows, groups=measurements[0].groups)


CHECK = BetterThanTrivial()
