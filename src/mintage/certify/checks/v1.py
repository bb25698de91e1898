"""V1, determinism: the same rows get the same answers, asked twice and by the model loaded again."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact
from mintage.certify.probing import apart, draw_rows, not_served

__all__ = ["CHECK", "Determinism", "DeterminismRequirement"]


class DeterminismRequirement(Requirement, frozen=True, kw_only=True):
    """``rows`` rows are asked three times; ``tolerance`` is the largest difference that is none."""

    rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 2_000
    tolerance: Annotated[float, Meta(ge=0)] = 1e-6


class Determinism:
    """The check."""

    id = "V1"
    version = 0
    title = "the same answers again"
    samples = False
    measured = False
    requirement_type = DeterminismRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: DeterminismRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the largest difference."""
        served = evidence.served
        columns = (
            None
            if served is None
            else draw_rows(evidence.holdout, served, requirement.rows, seed=resampling.seed, stream=12)
        )
        if served is None or columns is None:
            return not_served(self, requirement)
        first, second, loaded = served.ask_anew(columns), served.ask_anew(columns), served.ask_reloaded(columns)
        twice, again = (float(apart(first, other).max()) for other in (second, loaded))
        return conclude(
            self,
            requirement,
            title="largest difference between answers to the same row",
            measurement=exact(max(twice, again), rows=len(first)),
            gate=Gate(direction="at_most", threshold=requirement.tolerance),
            details={"asked twice": twice, "loaded again": again},
            also=f"; {len(first):,} rows, asked twice and by the model loaded again",
        )


CHECK = Determinism()
