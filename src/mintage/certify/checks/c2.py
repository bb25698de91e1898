"""C2, conformal coverage: sets made from validation rows hold the truth of the hold-out as often as they promise.

The oddness that a share ``target`` of the validation rows does not exceed makes a set of classes, or a range of
numbers, for each row. If validation and hold-out are alike, about ``target`` of those sets hold what was true.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.conformal import band, cut, oddness
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, bootstrap_of, conclude, measured_samples, without_number
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "Coverage", "CoverageRequirement"]


class CoverageRequirement(Requirement, frozen=True, kw_only=True):
    """The coverage of sets for ``target`` must surely be at least ``target - margin``."""

    target: Annotated[float, Meta(gt=0, lt=1)] = 0.9
    margin: Annotated[float, Meta(ge=0, lt=1)] = 0.03


class Coverage:
    """The check."""

    id = "C2"
    version = 0
    title = "conformal coverage"
    samples = True
    measured = False
    requirement_type = CoverageRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: CoverageRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the coverage on the hold-out."""
        split, validation, target = evidence.holdout, evidence.validation, requirement.target
        if validation is None:
            reason = f"{self.title}: not measured, there are no validation rows beside those of training"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        most = cut(oddness(validation), target=target)
        if math.isinf(most):
            reason = f"{self.title}: {validation.rows} validation rows are too few for sets of {target:g}"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        held = oddness(split) <= most
        details: dict[str, float | int | str | bool | None] = {
            "oddness at most": most,
            "validation rows": validation.rows,
        }
        also = f"; {int(held.sum()):,} of {split.rows:,} rows"
        if split.groups is None:
            low, high = band(calibrating=validation.rows, tested=split.rows, target=target, share=resampling.confidence)
            details |= {"band from": low, "band to": high, "inside the band": bool(low <= held.mean() <= high)}
            also += f", by chance from {low:.3f} to {high:.3f}"
        return conclude(
            self,
            requirement,
            title=f"coverage of sets for {100 * target:g} %",
            measurement=_measure(held, split, resampling),
            gate=Gate(direction="at_least", threshold=round(target - requirement.margin, 12)),
            needed_unit=split.unit,
            details=details,
            also=also,
        )


def _measure(held: NDArray[np.bool_], split: Split, resampling: Resampling) -> Measurement:
    if split.groups is None:
        hits = int(held.sum())
        return Measurement(
            estimate=hits / split.rows,
            interval=clopper_pearson(hits, split.rows, resampling.confidence),
            rows=split.rows,
            groups=split.rows,
            method=f"Clopper-Pearson, {hits:,} of {split.rows:,}",
        )
    bootstrap = bootstrap_of(split, resampling, stream="holdout")
    return measured_samples(
        float(held.mean()),
        bootstrap.means(held.astype(np.float64)),
        rows=split.rows,
        groups=[bootstrap.groups],
        resampling=resampling,
        method="resampled groups",
    )


CHECK = Coverage()
