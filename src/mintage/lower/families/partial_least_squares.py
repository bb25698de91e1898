"""PLSRegression, PLSCanonical and CCA as regressors: weighted sums of the centred columns."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.linear import weighted_sums
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    mean = step.numbers("_x_mean")
    if mean.shape != (len(columns),):
        step.refuse(f"was fitted on other columns than the {len(columns)} that it gets")
    centred = graph.add("Sub", [matrix(graph, taken), graph.constant(np.reshape(mean, (1, -1)))])
    raw, width = weighted_sums(step, numbers([column.source for column in taken], centred), context)
    return numbers([""] * width, raw)


FAMILY = Family(
    types=tuple(f"sklearn.cross_decomposition._pls.{name}" for name in ("CCA", "PLSCanonical", "PLSRegression")),
    role="regressor",
    lower=_lower,
)
