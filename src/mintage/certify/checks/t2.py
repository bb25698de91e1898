"""T2, footprint: throughput, cold start and peak memory of fresh processes, and the size of the model's folder.

Judged is the median of what fresh processes show. The range of k independent ones holds it with a confidence of
1 - 2^(1 - k), whatever the distribution; so the worst of them must meet the limit, and 6 are needed for 95 %. The size
is a count. The numbers of processes differ from run to run, so they stand apart from the statistics of a certificate.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.footprint import FootprintRun
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, exact, without_number
from mintage.stats.interval import Interval

__all__ = ["CHECK", "Footprint", "FootprintRequirement"]

_UNITS = {"throughput": "rows/s", "cold_start": "s", "memory": "MB", "size": "MB"}
_TITLES = {
    "throughput": "rows that a fresh process answers a second",
    "cold_start": "time from the start of a process to its first answer",
    "memory": "most memory that a fresh process holds",
    "size": "size of the model's folder",
}
_Limit = Annotated[float, Meta(gt=0)]


class FootprintRequirement(Requirement, frozen=True, kw_only=True):
    """``measure`` must be at least ``min`` (throughput, in rows a second) or at most ``max`` (seconds, or megabytes of
    a million bytes); ``repeats`` fresh processes are started."""

    measure: Literal["throughput", "cold_start", "memory", "size"]
    min: _Limit | msgspec.UnsetType = msgspec.UNSET
    max: _Limit | msgspec.UnsetType = msgspec.UNSET
    repeats: Annotated[int, Meta(ge=2, le=50)] = 6

    def __post_init__(self) -> None:
        wanted = "min" if self.measure == "throughput" else "max"
        if (self.min is not msgspec.UNSET) is not (wanted == "min") or (self.max is msgspec.UNSET) is (wanted == "max"):
            raise ValueError(f"{self.measure} takes `{wanted}`, and only that")

    @property
    def samples(self) -> bool:
        """Whether the number comes from a sample."""
        return self.measure != "size"

    @property
    def gate(self) -> Gate:
        """The gate that the limit makes."""
        if isinstance(self.min, float):
            return Gate(direction="at_least", threshold=self.min)
        assert isinstance(self.max, float)
        return Gate(direction="at_most", threshold=self.max)


class Footprint:
    """The check."""

    id = "T2"
    version = 0
    title = "what the model costs a machine"
    samples = True
    measured = True
    requirement_type = FootprintRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: FootprintRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the median of fresh processes, or the size."""
        probe = evidence.footprint
        if probe is None:
            reason = f"{_TITLES[requirement.measure]}: not measured, there is nothing to start processes with"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        details: dict[str, float | int | str | bool | None] = {}
        if requirement.measure == "size":
            measurement = exact(probe.size_bytes / 1e6, rows=1)
        else:
            run = probe.measure(repeats=requirement.repeats)
            values = _values(run, requirement)
            measurement = _measure(values, resampling.confidence)
            best = values.max() if requirement.measure == "throughput" else values.min()
            details = {
                "scenario": run.scenario,
                "best": float(best),
                "each": ", ".join(f"{value:.4g}" for value in values),
            }
        return conclude(
            self,
            requirement,
            title=_TITLES[requirement.measure],
            measurement=measurement,
            gate=requirement.gate,
            unit=_UNITS[requirement.measure],
            needed_unit="processes",
            details=details,
        )


def _values(run: FootprintRun, requirement: FootprintRequirement) -> np.ndarray:
    if requirement.measure == "throughput":
        return np.array(run.rows_per_s)
    return np.array(run.cold_start_s) if requirement.measure == "cold_start" else np.array(run.peak_bytes) / 1e6


def _measure(values: np.ndarray, confidence: float) -> Measurement:
    count, median = len(values), float(np.median(values))
    fewest = math.ceil(1 + math.log2(1 / (1 - confidence)))
    if count < fewest:
        why = f"{count} processes give no interval of {100 * confidence:.4g} %"
        return Measurement(estimate=median, interval=None, rows=count, undecided=why, needed=fewest)
    interval = Interval(low=float(values.min()), high=float(values.max()), confidence=1 - 2.0 ** (1 - count))
    return Measurement(estimate=median, interval=interval, rows=count, method=f"range of {count} processes")


CHECK = Footprint()
