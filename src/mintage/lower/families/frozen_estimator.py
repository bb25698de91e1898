"""FrozenEstimator: an estimator that is not fitted again; its answers are its own."""

from __future__ import annotations

from mintage.lower.columns import Column
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    return context.lower(step.step("estimator"), columns)


FAMILY = Family(types=("sklearn.frozen._frozen.FrozenEstimator",), role="container", lower=_lower)
