"""R1, noise: what the metric loses when numbers are measured a little wrong and texts are now and then another's."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.latency import LatencyRun
from mintage.certify.metric_requirement import MetricRequirement
from mintage.certify.perturb import with_noise
from mintage.certify.perturbed import Share, conclude_losses

__all__ = ["CHECK", "Noise", "NoiseRequirement"]


class NoiseRequirement(MetricRequirement, frozen=True, kw_only=True):
    """At most ``max_loss`` of ``metric`` may be lost under noise of each of ``shares`` of the quartiles' distance."""

    shares: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=20)] = (0.01, 0.05)
    max_loss: Annotated[float, Meta(ge=0)] = 0.05


class Noise:
    """The check."""

    id = "R1"
    version = 0
    title = "noise"
    samples = True
    measured = False
    requirement_type = NoiseRequirement

    def run(
        self, evidence: Evidence, requirement: NoiseRequirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Judge the worst loss."""
        rng = np.random.default_rng([resampling.seed, 21])
        columns, like = evidence.holdout.columns, evidence.train.columns
        noisy = {
            f"{100 * share:g} % noise": with_noise(columns, like, evidence.inputs, share=share, rng=rng)
            for share in requirement.shares
        }
        return conclude_losses(self, requirement, evidence, noisy, max_loss=requirement.max_loss, resampling=resampling)


CHECK = Noise()
