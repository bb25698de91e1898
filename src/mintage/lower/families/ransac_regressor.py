"""RANSACRegressor: the regressor that it fitted on the rows that it kept."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import answers, part_at

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    inner = part_at(step, "estimator", step.get("estimator_"))
    return list(answers(inner, columns, context, role="regressor"))


FAMILY = Family(types=("sklearn.linear_model._ransac.RANSACRegressor",), role="regressor", lower=_lower)
