"""VarianceThreshold, SelectKBest, SelectFromModel, RFE and others: the columns that were kept, as they are."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    support = step.get("support")
    if not isinstance(support, np.ndarray) or support.shape != (len(columns),):
        step.refuse(f"was fitted on other columns than the {len(columns)} that it gets")
    return [column for column, keep in zip(numeric(step, columns), support.tolist(), strict=True) if keep]


_BY_SCORES = ("GenericUnivariateSelect", "SelectFdr", "SelectFpr", "SelectFwe", "SelectKBest", "SelectPercentile")

FAMILY = Family(
    types=(
        "sklearn.feature_selection._from_model.SelectFromModel",
        "sklearn.feature_selection._rfe.RFE",
        "sklearn.feature_selection._rfe.RFECV",
        "sklearn.feature_selection._sequential.SequentialFeatureSelector",
        *(f"sklearn.feature_selection._univariate_selection.{name}" for name in _BY_SCORES),
        "sklearn.feature_selection._variance_threshold.VarianceThreshold",
    ),
    role="transformer",
    lower=_lower,
)
