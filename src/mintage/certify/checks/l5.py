"""L5, leakage within a batch: a row alone gets the answer that it gets among others.

A model that scales or ranks a batch by itself answers other things in production than in the test. Not one of the rows
asked may differ; the result says how large a share of the rows that leaves open.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact
from mintage.certify.probing import apart, draw_rows, not_served, take
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "BatchLeakage", "BatchLeakageRequirement"]


class BatchLeakageRequirement(Requirement, frozen=True, kw_only=True):
    """``rows`` rows are asked alone; an answer more than ``tolerance`` off the one in the batch is another."""

    rows: Annotated[int, Meta(ge=1, le=100_000)] = 300
    tolerance: Annotated[float, Meta(ge=0)] = 1e-6


class BatchLeakage:
    """The check."""

    id = "L5"
    version = 0
    title = "a row alone as in a batch"
    samples = False
    measured = False
    requirement_type = BatchLeakageRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: BatchLeakageRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Count the rows that differ."""
        served = evidence.served
        columns = (
            None
            if served is None
            else draw_rows(evidence.holdout, served, requirement.rows, seed=resampling.seed, stream=11)
        )
        if served is None or columns is None:
            return not_served(self, requirement)
        together = served.ask_anew(columns)
        rows = len(together)
        alone = [served.ask_anew(take(columns, np.array([place]))).values for place in range(rows)]
        off = apart(together, together.of(np.concatenate(alone)))
        hits = int((off > requirement.tolerance).sum())
        # twice the error on one side: the bound from above alone is told
        most = clopper_pearson(hits, rows, 2 * resampling.confidence - 1).high
        return conclude(
            self,
            requirement,
            title="rows answered otherwise alone than in a batch",
            measurement=exact(float(hits), rows=rows),
            gate=Gate(direction="at_most", threshold=0.0),
            details={"largest difference": float(off.max()), "share at most": most},
            also=f"; {rows:,} rows asked, so at most {100 * most:.2g} % of all",
        )


CHECK = BatchLeakage()
