"""XGBRegressor and XGBRFRegressor: float32 sums, one or several, then the objective's link."""

from __future__ import annotations

from mintage.lower.boosting.links import DOUBLE, single_exponential, single_sigmoid
from mintage.lower.boosting.xgboost_model import read_xgboost
from mintage.lower.boosting.xgboost_sums import sums
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    model = read_xgboost(step)
    if model.link == "softmax":
        step.refuse("has an objective for classes; it has an exact lowering with one for numbers")
    graph, found = context.graph, sums(step, model, columns, context)
    if model.link == "exp":
        found = single_exponential(graph, found)
    elif model.link == "sigmoid":
        found = single_sigmoid(graph, found)
    return unnamed(graph.add("Cast", [found], to=DOUBLE), len(model.start))


FAMILY = Family(
    types=("xgboost.sklearn.XGBRegressor", "xgboost.sklearn.XGBRFRegressor"), role="regressor", lower=_lower
)
