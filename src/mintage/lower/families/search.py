"""GridSearchCV and RandomizedSearchCV: the best model that they found, fitted again."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import part_at

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    return context.lower(part_at(step, "best_estimator_", step.get("best_estimator_")), columns)


FAMILY = Family(
    types=(
        "sklearn.model_selection._search.GridSearchCV",
        "sklearn.model_selection._search.RandomizedSearchCV",
    ),
    role="container",
    lower=_lower,
)
