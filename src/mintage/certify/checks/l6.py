"""L6, whether the hold-out is like training: can a model tell the rows of the two apart?

The AUC of boosted trees that learn which split a row is of (adversarial validation), out of fold. 0.5 is not at all.
That they find nothing counts only if they find a shift that is planted in the same rows, else it is
INCONCLUSIVE. Where the hold-out is later than training it should differ: then the AUC is told and not required.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from mintage.certify.adversary import both_splits
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude
from mintage.certify.metric import find_metric
from mintage.certify.metric_interval import measure_metric
from mintage.certify.reported import reported_by_time
from mintage.certify.times import is_by_time

__all__ = ["CHECK", "Representative", "RepresentativeRequirement"]

_PLANTED = 1.5


class RepresentativeRequirement(Requirement, frozen=True, kw_only=True):
    """The splits may be told apart with an AUC of at most ``max``."""

    max: Annotated[float, Meta(ge=0.5, le=1)] = 0.6


class Representative:
    """The check."""

    id = "L6"
    version = 0
    title = "hold-out like training"
    samples = True
    measured = False
    requirement_type = RepresentativeRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: RepresentativeRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge how well the splits are told apart."""
        train, holdout, seed = evidence.train, evidence.holdout, resampling.seed
        metric = find_metric("roc_auc", "binary")
        both = both_splits(train, holdout, seed=seed)
        planted = np.random.default_rng(seed).normal(size=train.rows + holdout.rows)
        planted[train.rows :] += _PLANTED
        control = both_splits(train, holdout, seed=seed, extra=planted)
        found = metric.value(control.labels, control.answers)
        result = conclude(
            self,
            requirement,
            title="AUC of telling the hold-out from training",
            measurement=measure_metric(metric, both, resampling),
            gate=Gate(direction="at_most", threshold=requirement.max),
            needed_unit=holdout.unit,
            details={"rows compared": both.rows, "roc_auc with a planted shift": found},
        )
        if is_by_time(evidence):
            return reported_by_time(result)
        if result.verdict == "PASS" and found <= requirement.max:
            reason = f"{result.reason}; but a planted shift was not found either (AUC {found:.3f}): too few rows"
            return msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=reason)
        return result


CHECK = Representative()
