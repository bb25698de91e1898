"""F3, not worse than the champion by more than a margin.

Paired: both models score the same hold-out rows, and the same resamples of groups. Without a champion it does not
apply, and the certificate says so.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import bootstrap_of, conclude, measured_samples, without_number
from mintage.certify.metric import MetricName, higher_is_better, metric_label, metric_samples, metric_value

__all__ = ["CHECK", "NonInferiority", "NonInferiorityRequirement"]


class NonInferiorityRequirement(Requirement, frozen=True, kw_only=True):
    """The difference to the champion in ``metric`` must be at least ``-margin`` (positive is better)."""

    metric: MetricName = "roc_auc"
    margin: Annotated[float, Meta(ge=0)]


class NonInferiority:
    """The check."""

    id = "F3"
    version = 0
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
        split, metric, champion = evidence.holdout, requirement.metric, evidence.champion
        if champion is None:
            reason = "not applicable: there is no champion to compare with"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        sign = 1.0 if higher_is_better(metric) else -1.0
        bootstrap = bootstrap_of(split, resampling, stream="holdout")
        own, rival = (metric_value(metric, split.labels, scores) for scores in (split.scores, champion.scores))
        samples = [
            metric_samples(metric, split.labels, scores, bootstrap) for scores in (split.scores, champion.scores)
        ]
        return conclude(
            self,
            requirement,
            title=f"{metric_label(metric)} gain over the champion",
            measurement=measured_samples(
                sign * (own - rival),
                sign * (samples[0] - samples[1]),
                rows=split.rows,
                groups=[bootstrap.groups],
                resampling=resampling,
            ),
            gate=Gate(direction="at_least", threshold=-requirement.margin),
            details={"champion": champion.root},
        )


CHECK = NonInferiority()
