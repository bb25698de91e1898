"""Z3, export parity: the served graph says what the library that fitted the model says.

Every hold-out row and every edge row is compared: no label flips, no probability further apart than ``tolerance``.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "ExportParity", "ExportParityRequirement"]


class ExportParityRequirement(Requirement, frozen=True, kw_only=True):
    """The largest difference of a probability that is accepted; flips never are."""

    tolerance: Annotated[float, Meta(ge=0)] = 1e-12


class ExportParity:
    """The check."""

    id = "Z3"
    version = 0
    title = "export parity"
    samples = False
    measured = False
    requirement_type = ExportParityRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: ExportParityRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the largest difference, and the flips."""
        native = evidence.native
        if native is None:
            reason = "export parity was not measured: the library's own scores are missing"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        own = np.concatenate([native.holdout, native.edge])
        served = np.concatenate([evidence.holdout.scores, native.edge_served])
        flips = int(((own >= native.threshold) != (served >= native.threshold)).sum())
        apart = np.abs(own - served)
        result = conclude(
            self,
            requirement,
            title="largest difference between library and served graph",
            measurement=exact(float(apart.max()), rows=len(own)),
            gate=Gate(direction="at_most", threshold=requirement.tolerance),
            details={
                "hold-out rows": len(native.holdout),
                "edge rows": len(native.edge),
                "flips": flips,
                "flip rate at most": clopper_pearson(flips, len(own), resampling.confidence).high,
                "worst row": int(apart.argmax()),
            },
            also=f"; {flips} label flips in {len(own):,} rows",
        )
        return msgspec.structs.replace(result, verdict="FAIL") if flips else result


CHECK = ExportParity()
