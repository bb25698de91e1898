"""MultiOutputRegressor: a regressor a target, each on the same columns."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import answers, part_at

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    found: list[Column] = []
    for place, part in enumerate(step.get("estimators_")):
        found.extend(answers(part_at(step, f"target {place}", part), columns, context, role="regressor"))
    return found


FAMILY = Family(types=("sklearn.multioutput.MultiOutputRegressor",), role="regressor", lower=_lower)
