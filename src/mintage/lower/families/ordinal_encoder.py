"""OrdinalEncoder: each category becomes its place; unknown and missing values as the encoder says.

Rare categories share one place, the last.
"""

from __future__ import annotations

import math

from mintage.lower.categories import fitted_categories, grouped, look_up, rare_groups
from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    closed = step.get("handle_unknown") == "error"
    unknown = math.nan if closed else float(step.get("unknown_value"))
    missing = float(step.get("encoded_missing_value"))
    parts = zip(columns, fitted_categories(step, len(columns)), rare_groups(step, len(columns)), strict=True)
    return [
        look_up(
            step,
            column,
            values,
            context,
            code=float if group is None else grouped(group),
            missing=missing,
            unknown=unknown,
            closed=closed,
        )
        for column, values, group in parts
    ]


FAMILY = Family(types=("sklearn.preprocessing._encoders.OrdinalEncoder",), role="transformer", lower=_lower)
