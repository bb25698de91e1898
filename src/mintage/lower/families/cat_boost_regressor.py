"""CatBoostRegressor: double sums of float32 features, one or several; counts and amounts are exponentials."""

from __future__ import annotations

from mintage.lower.boosting.catboost_sums import sums
from mintage.lower.boosting.links import exponential
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]

_NUMBERS = ("Expectile", "Huber", "LogCosh", "Lq", "MAE", "MAPE", "MultiQuantile", "MultiRMSE", "Quantile", "RMSE")
_EXPONENTIAL = ("Poisson", "Tweedie")


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    loss = step.get("loss")
    if loss not in (*_NUMBERS, *_EXPONENTIAL):
        step.refuse(f"with loss_function {loss!r} has no exact lowering; {', '.join((*_NUMBERS, *_EXPONENTIAL))} have")
    found, width = sums(step, columns, context)
    return unnamed(exponential(context.graph, found) if loss in _EXPONENTIAL else found, width)


FAMILY = Family(types=("catboost.core.CatBoostRegressor",), role="regressor", lower=_lower)
