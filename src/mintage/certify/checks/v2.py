"""V2, the model can be made again: its stages run from the lock give the same file, or one that is as good.

All stages before the model run again, from the raw inputs on. The same bytes of the estimator are the same model. If
they differ, the metric of the rebuilt model must lie within the interval of the recorded one: the distance is told as a
share of the way to that end. A rebuilt pipeline that splits otherwise is judged on its own hold-out, for the recorded
one may have rows that it was trained on.
"""

from __future__ import annotations

import math

import numpy as np

from mintage.certify.ask_retraining import Budget, not_retrained, retrain_all
from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number
from mintage.certify.metric import Metric
from mintage.certify.metric_interval import measure_metric
from mintage.certify.metric_requirement import MetricRequirement
from mintage.certify.retrained_metric import judging_split
from mintage.certify.retraining import Change, Retrained

__all__ = ["CHECK", "Rebuild", "RebuildRequirement"]


class RebuildRequirement(MetricRequirement, frozen=True, kw_only=True):
    """``metric`` judges a rebuilt model that has other bytes; the rebuild takes at most ``budget_s``."""

    budget_s: Budget = 300.0


class Rebuild:
    """The check."""

    id = "V2"
    version = 0
    title = "rebuilt from the lock"
    samples = False
    measured = False
    requirement_type = RebuildRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: RebuildRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge how far the rebuilt model is from the recorded one."""
        found = retrain_all(evidence, [Change(kind="nothing")], seed=resampling.seed, budget_s=requirement.budget_s)
        if found.why is not None:
            return not_retrained(self, requirement, found)
        (rebuilt,), metric = found.done, requirement.metric_for(evidence.task)
        if rebuilt.is_same:
            distance, words = 0.0, ": the same file, bit for bit"
        else:
            compared = _compared(evidence, rebuilt, metric, resampling)
            if isinstance(compared, str):
                reason = f"{self.title}: not bit-identical, and {compared}"
                return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
            distance, words = compared
        return conclude(
            self,
            requirement,
            title=f"distance of the rebuilt model in {metric.label} (1 is the end of its interval)",
            measurement=exact(distance, rows=evidence.holdout.rows),
            gate=Gate(direction="at_most", threshold=1.0),
            details={"bit-identical": rebuilt.is_same},
            also=words,
        )


def _compared(
    evidence: Evidence, rebuilt: Retrained, metric: Metric, resampling: Resampling
) -> tuple[float, str] | str:
    """How far a model of other bytes is, and what is told of it; or why that is not known."""
    recorded, split = measure_metric(metric, evidence.holdout, resampling), judging_split(evidence, rebuilt)
    value = metric.value(split.labels, split.answers)
    if recorded.interval is None or recorded.estimate is None or math.isnan(value):
        return recorded.undecided or metric.undefined
    away = value - recorded.estimate
    reach = (recorded.interval.high - recorded.estimate) if away > 0 else (recorded.estimate - recorded.interval.low)
    distance = 0.0 if away == 0 else abs(away) / reach if reach > 0 else math.inf
    largest = float(np.max(np.abs(rebuilt.recorded.values - evidence.holdout.answers.values)))
    where = "on the hold-out that it made anew" if rebuilt.remade is not None else "on the same hold-out"
    return min(distance, 1e6), (
        f": not bit-identical, {metric.label} {value:.3f} {where}, recorded {recorded.estimate:.3f} "
        f"[{recorded.interval.low:.3f}, {recorded.interval.high:.3f}]; answers differ by at most {largest:.3g}"
    )


CHECK = Rebuild()
