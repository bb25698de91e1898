"""F7, how much the metric depends on chance in training: on which rows there were, or on the seed.

The model is trained again ``times`` times, each time on half of the groups (rows) of the training table, or of the
table that a stage splits itself, or with another seed, and measured on the hold-out. Halves drawn without replacement
spread a statistic as whole new samples would, and no row is there twice, so that none falls on both sides of a split
that the pipeline makes. The interval of the standard deviation is that of a normal sample (chi-square). Where the
pipeline makes the hold-out anew, the chance of the hold-out is in the figure too.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from scipy import special

from mintage.certify.ask_retraining import Budget, not_retrained, retrain_all
from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.certify.metric_requirement import MetricRequirement
from mintage.certify.retrained_metric import judging_split
from mintage.certify.retraining import Change
from mintage.stats.interval import Interval

__all__ = ["CHECK", "TrainingSpread", "TrainingSpreadRequirement"]

_FIRST_SEED, _MOST = 1001, 1000


class TrainingSpreadRequirement(MetricRequirement, frozen=True, kw_only=True):
    """The standard deviation of ``metric`` over ``times`` retrainings is at most half of ``precision``."""

    vary: Literal["rows", "seed"] = "rows"
    times: Annotated[int, Meta(ge=3, le=100)] = 10
    precision: Annotated[float, Meta(gt=0)] = 0.05
    budget_s: Budget = 300.0


class TrainingSpread:
    """The check."""

    id = "F7"
    version = 0
    title = "spread of the metric over retrainings"
    samples = True
    measured = False
    requirement_type = TrainingSpreadRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: TrainingSpreadRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the standard deviation."""
        metric = requirement.metric_for(evidence.task)
        changes = _changes(evidence, requirement)
        found = retrain_all(evidence, changes, seed=resampling.seed, budget_s=requirement.budget_s)
        if found.why is not None:
            return not_retrained(self, requirement, found)
        splits = [judging_split(evidence, one) for one in found.done]
        values = [metric.value(split.labels, split.answers) for split in splits]
        if any(math.isnan(value) for value in values):
            reason = f"{self.title}: {metric.label} is not defined, {metric.undefined}"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        spread, most = _spread(values), requirement.precision / 2
        interval = _interval(spread, len(values), resampling.confidence)
        own = any(one.remade is not None for one in found.done)
        result = conclude(
            self,
            requirement,
            title=f"standard deviation of {metric.label} over {len(values)} retrainings {_WORDS[requirement.vary]}",
            measurement=Measurement(
                estimate=spread, interval=interval, rows=evidence.holdout.rows, method="chi-square over the retrainings"
            ),
            gate=Gate(direction="at_most", threshold=most),
            details={f"{metric.label}, {place}": value for place, value in enumerate(values, start=1)},
            also=f"; {metric.label} {min(values):.3f} to {max(values):.3f}"
            + (", each on the hold-out that its pipeline made" if own else "")
            + ("; the seed changes nothing here" if requirement.vary == "seed" and spread == 0 else ""),
        )
        return _told(result, spread, most, count=len(values), confidence=resampling.confidence)


_WORDS = {"rows": "on halves of the rows", "seed": "with other seeds"}


def _changes(evidence: Evidence, requirement: TrainingSpreadRequirement) -> list[Change]:
    if requirement.vary == "seed":
        return [Change(kind="seed", number=_FIRST_SEED + place) for place in range(requirement.times)]
    label = None if evidence.spec is None else evidence.spec.targets[0]
    return [Change(kind="half", column=label, number=place) for place in range(requirement.times)]


def _spread(values: list[float]) -> float:
    """The standard deviation; of equal values exactly 0, which rounding would miss."""
    return 0.0 if max(values) == min(values) else float(np.std(values, ddof=1))


def _interval(spread: float, count: int, confidence: float) -> Interval:
    """Of the standard deviation of a normal sample of ``count``."""
    free, tail = count - 1, (1 - confidence) / 2
    most, least = float(special.chdtri(free, tail)), float(special.chdtri(free, 1 - tail))
    low, high = spread * math.sqrt(free / most), spread * math.sqrt(free / least)
    return Interval(low=low, high=high, confidence=confidence)


def _told(result: CheckResult, spread: float, most: float, *, count: int, confidence: float) -> CheckResult:
    """The result; of an INCONCLUSIVE what would settle it, which is retrainings and not rows."""
    if result.verdict != "INCONCLUSIVE":
        return result
    needed = _needed(spread, most, confidence, count)
    reason = result.reason.partition("; about ")[0] + (
        f"; about {needed:,} retrainings would settle it" if needed else ""
    )
    return msgspec.structs.replace(result, reason=reason, needed=needed, needed_unit="retrainings" if needed else None)


def _needed(spread: float, most: float, confidence: float, count: int) -> int | None:
    """How many retrainings of the same spread would decide."""
    gate = Gate(direction="at_most", threshold=most)
    for times in range(count + 1, _MOST):
        interval = _interval(spread, times, confidence)
        if gate.met_by(interval.high) or not gate.met_by(interval.low):
            return times
    return None


CHECK = TrainingSpread()
