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

__all__ = ["CHECK", "Representative", "RepresentativeRequirement", "unless_blind"]

_PLANTED, _MISLED = 1.5, 0.45


class RepresentativeRequirement(Requirement, frozen=True, kw_only=True):
    """The splits may be told apart with an AUC of at most ``max``."""

    max: Annotated[float, Meta(ge=0.5, le=1)] = 0.6


class Representative:
    """The check."""

    id = "L6"
    version = 1
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
        result = unless_blind(result, found, requirement.max)
        return reported_by_time(result) if is_by_time(evidence) else result


def unless_blind(result: CheckResult, control: float, most: float) -> CheckResult:
    """The result, INCONCLUSIVE where it passes and a shift would not have been seen.

    An AUC clearly under 0.5 comes from few groups that differ as a whole: what is learnt of some misleads on others.
    """
    if result.verdict != "PASS" or result.interval is None:
        return result
    if control <= most:
        why = f"a planted shift was not found either (AUC {control:.3f}): too few rows"
    elif result.interval.high < _MISLED:
        why = "that far under 0.5 what was learnt of some groups misleads on others: too few groups"
    else:
        return result
    return msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=f"{result.reason}; but {why}")


CHECK = Representative()
