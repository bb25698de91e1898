"""R2, missing values: what the metric loses when values get lost at random.

Only inputs that may be missing lose values. What each input's complete absence costs is told in the details; with
``blanked`` it counts.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import without_number
from mintage.certify.metric_requirement import MetricRequirement
from mintage.certify.perturb import with_missing
from mintage.certify.perturbed import Share, conclude_losses

__all__ = ["CHECK", "Missing", "MissingRequirement"]

_MOST_BLANKED = 20


class MissingRequirement(MetricRequirement, frozen=True, kw_only=True):
    """At most ``max_loss`` of ``metric`` may be lost when each of ``shares`` of the values is missing, and with
    ``blanked`` when any one input is missing in all rows."""

    shares: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=20)] = (0.05, 0.1, 0.2)
    max_loss: Annotated[float, Meta(ge=0)] = 0.05
    blanked: bool = False


class Missing:
    """The check."""

    id = "R2"
    version = 0
    title = "missing values"
    samples = True
    measured = False
    requirement_type = MissingRequirement

    def run(
        self, evidence: Evidence, requirement: MissingRequirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Judge the worst loss."""
        rng = np.random.default_rng([resampling.seed, 22])
        columns, declared = evidence.holdout.columns, evidence.inputs
        names = [name for name in sorted(columns) if name not in declared or declared[name].nullable]
        if not names:
            reason = "not applicable: no input may be missing"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        lost = {
            f"{100 * share:g} % missing": with_missing(columns, names, share=share, rng=rng)
            for share in requirement.shares
        }
        blanked = {
            f"{name} missing": with_missing(columns, [name], share=1.0, rng=rng) for name in names[:_MOST_BLANKED]
        }
        return conclude_losses(
            self,
            requirement,
            evidence,
            {**lost, **blanked} if requirement.blanked else lost,
            max_loss=requirement.max_loss,
            resampling=resampling,
            told=None if requirement.blanked else blanked,
        )


CHECK = Missing()
