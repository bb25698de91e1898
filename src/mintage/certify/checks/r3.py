"""R3, the worst rows: the mean loss of those tenth of the rows that the model serves worst.

A mean over all hides who pays for it. Of classes the loss is the log-loss, of a regression the distance, in units of
the target. The interval keeps the loss from which a row is among the worst, which is right to the first order.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import bootstrap_of, conclude, measured_samples
from mintage.stats.loss import class_log_loss_rows, log_loss_rows

__all__ = ["CHECK", "WorstRows", "WorstRowsRequirement"]


class WorstRowsRequirement(Requirement, frozen=True, kw_only=True):
    """The mean loss of the worst ``share`` of the rows must be at most ``max``."""

    max: Annotated[float, Meta(gt=0)]
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.1


class WorstRows:
    """The check."""

    id = "R3"
    version = 0
    title = "the worst rows"
    samples = True
    measured = False
    requirement_type = WorstRowsRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: WorstRowsRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the conditional value at risk (Rockafellar and Uryasev 2000)."""
        split, share = evidence.holdout, requirement.share
        losses = _losses(split)
        start = float(np.quantile(losses, 1 - share))
        beyond = np.maximum(losses - start, 0.0) / share
        bootstrap = bootstrap_of(split, resampling, stream="holdout")
        name = "distance" if split.task == "regression" else "log-loss"
        return conclude(
            self,
            requirement,
            title=f"mean {name} of the worst {100 * share:g} %",
            measurement=measured_samples(
                start + float(beyond.mean()),
                start + bootstrap.means(beyond),
                rows=split.rows,
                groups=[bootstrap.groups],
                resampling=resampling,
                method="resampled rows" if split.groups is None else "resampled groups",
            ),
            gate=Gate(direction="at_most", threshold=requirement.max),
            needed_unit=split.unit,
            details={"mean of all rows": float(losses.mean()), "loss of the worst from": start},
        )


def _losses(split: Split) -> NDArray[np.float64]:
    values = split.answers.values
    if split.task == "regression":
        return np.asarray(np.abs(split.labels - values), dtype=np.float64)
    return log_loss_rows(split.labels, values) if split.task == "binary" else class_log_loss_rows(split.labels, values)


CHECK = WorstRows()
