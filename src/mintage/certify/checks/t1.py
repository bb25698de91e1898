"""T1, latency: a quantile of the wall time of single predictions, with an interval from order statistics.

The interval assumes no shape of the distribution; calls must be independent. Its numbers differ from run to run, so
they stand apart from the statistics of a certificate, and the wall times in a record of their own.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.stats.interval import Interval
from mintage.stats.quantile import fewest_observations, lower_limit, upper_limit

__all__ = ["CHECK", "Latency", "LatencyRequirement"]


class LatencyRequirement(Requirement, frozen=True, kw_only=True):
    """``quantile`` of the latency must be at most ``max_ms``; ``calls`` are timed."""

    quantile: Annotated[float, Meta(gt=0, lt=1)] = 0.99
    max_ms: Annotated[float, Meta(gt=0)]
    calls: Annotated[int, Meta(ge=1, le=1_000_000)] = 2000


class Latency:
    """The check."""

    id = "T1"
    version = 0
    title = "latency of a single prediction"
    samples = True
    measured = True
    requirement_type = LatencyRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: LatencyRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the quantile."""
        if latency is None or not latency.seconds:
            reason = "latency was not measured: there is nothing to time calls with"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        return conclude(
            self,
            requirement,
            title=f"latency p{100 * requirement.quantile:g}",
            measurement=_measure(np.array(latency.seconds) * 1e3, requirement, confidence=resampling.confidence),
            gate=Gate(direction="at_most", threshold=requirement.max_ms),
            unit="ms",
            needed_unit="calls",
            details={"scenario": latency.scenario, "warm-up calls": latency.warmup},
        )


def _measure(times_ms: np.ndarray, requirement: LatencyRequirement, *, confidence: float) -> Measurement:
    q, n = requirement.quantile, len(times_ms)
    estimate = float(np.quantile(times_ms, q, method="inverted_cdf"))
    one_sided = (1 + confidence) / 2
    low, high = lower_limit(times_ms, q, one_sided), upper_limit(times_ms, q, one_sided)
    if math.isinf(low) or math.isinf(high):
        fewest = max(fewest_observations(q, one_sided), fewest_observations(1 - q, one_sided))
        why = f"{n} calls give no interval of {100 * confidence:.4g} %"
        return Measurement(estimate=estimate, interval=None, rows=n, undecided=why, needed=fewest)
    interval = Interval(low=low, high=high, confidence=confidence)
    return Measurement(estimate=estimate, interval=interval, rows=n)


CHECK = Latency()
