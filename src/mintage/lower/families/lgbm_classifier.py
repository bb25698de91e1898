"""LGBMClassifier: double sums, then the logistic function or the softmax."""

from __future__ import annotations

from mintage.lower.boosting.lightgbm_model import read_lightgbm
from mintage.lower.boosting.lightgbm_sums import sums
from mintage.lower.boosting.links import sigmoid
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]

_LOGISTIC = ("binary", "cross_entropy", "multiclassova")


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    model = read_lightgbm(step)
    if model.objective not in (*_LOGISTIC, "multiclass"):
        step.refuse(
            f"with objective {model.objective!r} has no exact lowering; multiclass, {', '.join(_LOGISTIC)} have"
        )
    graph, raw = context.graph, sums(step, model, columns, context)
    if model.objective == "multiclass":
        found = softmax(graph, raw)
    else:
        found = sigmoid(graph, raw, steepness=float(model.options.get("sigmoid", "1")))
    if step.get("#decides"):
        context.decisions[found] = raw
    return unnamed(found, model.width)


FAMILY = Family(types=("lightgbm.sklearn.LGBMClassifier",), role="classifier", lower=_lower)
