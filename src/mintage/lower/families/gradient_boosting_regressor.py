"""GradientBoostingRegressor: a start, plus each tree's value times the learning rate, whatever the loss."""

from __future__ import annotations

from mintage.lower.boosted import boosted
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    raw, width = boosted(step, columns, context, steepness=None)
    return unnamed(raw, width)


FAMILY = Family(types=("sklearn.ensemble._gb.GradientBoostingRegressor",), role="regressor", lower=_lower)
