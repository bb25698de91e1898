"""F4, negative flips: rows that the champion gets right and its successor wrong.

A model that is better on the whole still breaks what people rely on. Without a champion it does not apply. No flip at
all in rows that belong together says little about other groups: then the groups are what was counted.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.answers import Task
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, bootstrap_of, conclude, measured_samples, without_number
from mintage.errors import PolicyUnfitError
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "NegativeFlips", "NegativeFlipsRequirement"]


class NegativeFlipsRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the rows may be negative flips."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.02

    def check_task(self, task: Task) -> None:
        """See Requirement."""
        if task == "regression":
            raise PolicyUnfitError(
                f"the requirement {self.id} asks for flips of labels, which a regression has not",
                expected="a model of classes",
                found=task,
                hint="leave F4 out; F3 compares the errors of the two models",
            )


class NegativeFlips:
    """The check."""

    id = "F4"
    version = 0
    title = "negative flips"
    samples = True
    measured = False
    requirement_type = NegativeFlipsRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: NegativeFlipsRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share of flips."""
        split, champion = evidence.holdout, evidence.champion
        if champion is None:
            reason = "not applicable: there is no champion to compare with"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        right, before = (answers.labels == split.labels for answers in (split.answers, champion.answers))
        flips = before & ~right
        return conclude(
            self,
            requirement,
            title="rows right by the champion and wrong by this model",
            measurement=_share(flips, split, resampling),
            gate=Gate(direction="at_most", threshold=requirement.max_share),
            needed_unit=split.unit,
            details={
                "champion": champion.root,
                "negative flips": int(flips.sum()),
                "positive flips": int((right & ~before).sum()),
            },
            also=f" ({int(flips.sum()):,} of {split.rows:,}; {int((right & ~before).sum()):,} the other way)",
        )


def _share(flips: NDArray[np.bool_], split: Split, resampling: Resampling) -> Measurement:
    if split.groups is not None and flips.any():
        bootstrap = bootstrap_of(split, resampling, stream="holdout")
        return measured_samples(
            float(flips.mean()),
            bootstrap.means(flips.astype(np.float64)),
            rows=split.rows,
            groups=[bootstrap.groups],
            resampling=resampling,
            method="resampled groups",
        )
    interval = clopper_pearson(int(flips.sum()), split.group_count, resampling.confidence)
    method = f"Clopper-Pearson, {int(flips.sum()):,} of {split.group_count:,} {split.unit}"
    return Measurement(
        estimate=float(flips.mean()), interval=interval, rows=split.rows, groups=split.group_count, method=method
    )


CHECK = NegativeFlips()
