"""OrdinalEncoder: each category becomes its place; unknown and missing values as the encoder says."""

from __future__ import annotations

import math

from mintage.lower.categories import fitted_categories, look_up
from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("_infrequent_enabled"):
        step.refuse("with min_frequency or max_categories has no exact lowering")
    closed = step.get("handle_unknown") == "error"
    unknown = math.nan if closed else float(step.get("unknown_value"))
    missing = float(step.get("encoded_missing_value"))
    return [
        look_up(step, column, values, context, code=float, missing=missing, unknown=unknown, closed=closed)
        for column, values in zip(columns, fitted_categories(step, len(columns)), strict=True)
    ]


FAMILY = Family(types=("sklearn.preprocessing._encoders.OrdinalEncoder",), role="transformer", lower=_lower)
