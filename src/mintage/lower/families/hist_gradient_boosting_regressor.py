"""HistGradientBoostingRegressor: its sum, or the exponential of it for losses with a logarithmic link."""

from __future__ import annotations

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.hist_trees import raw_predictions

__all__ = ["FAMILY"]

_IDENTITY = ("squared_error", "absolute_error", "quantile")
_LOGARITHM = ("gamma", "poisson")


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    loss = step.get("loss")
    if loss not in (*_IDENTITY, *_LOGARITHM):
        step.refuse("with a loss of its own has no exact lowering; those of the library have")
    raw, width = raw_predictions(step, columns, context)
    return unnamed(context.graph.add("Exp", [raw]) if loss in _LOGARITHM else raw, width)


FAMILY = Family(
    types=("sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",),
    role="regressor",
    lower=_lower,
)
