"""LGBMRegressor: double sums, then the objective's link."""

from __future__ import annotations

import numpy as np

from mintage.lower.boosting.lightgbm_model import read_lightgbm
from mintage.lower.boosting.lightgbm_sums import sums
from mintage.lower.boosting.links import exponential, sigmoid
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph

__all__ = ["FAMILY"]

_NUMBERS = ("fair", "huber", "mape", "quantile", "regression", "regression_l1")
_EXPONENTIAL = ("gamma", "poisson", "tweedie")
_KNOWN = (*_NUMBERS, *_EXPONENTIAL, "cross_entropy")


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    model = read_lightgbm(step)
    if model.objective not in _KNOWN:
        step.refuse(f"with objective {model.objective!r} has no exact lowering; {', '.join(sorted(_KNOWN))} have")
    graph, found = context.graph, sums(step, model, columns, context)
    if model.objective in _EXPONENTIAL:
        found = exponential(graph, found)
    elif model.objective == "cross_entropy":
        found = sigmoid(graph, found)
    elif "sqrt" in model.options:
        found = _signed_square(graph, found)
    return unnamed(found, model.width)


def _signed_square(graph: Graph, raw: str) -> str:
    square = graph.add("Mul", [raw, raw])
    below = graph.add("Less", [raw, graph.constant(np.array([[0.0]]))])
    return graph.add("Where", [below, graph.add("Neg", [square]), square])


FAMILY = Family(types=("lightgbm.sklearn.LGBMRegressor",), role="regressor", lower=_lower)
