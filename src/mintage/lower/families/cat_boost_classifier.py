"""CatBoostClassifier: double sums of float32 features, then the logistic function or the softmax."""

from __future__ import annotations

from mintage.lower.boosting.catboost_sums import sums
from mintage.lower.boosting.links import sigmoid
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]

_LOGISTIC = ("CrossEntropy", "Logloss", "MultiClassOneVsAll")


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    loss = step.get("loss")
    if loss not in (*_LOGISTIC, "MultiClass"):
        step.refuse(f"with loss_function {loss!r} has no exact lowering; MultiClass, {', '.join(_LOGISTIC)} have")
    raw, width = sums(step, columns, context)
    graph = context.graph
    return unnamed(softmax(graph, raw) if loss == "MultiClass" else sigmoid(graph, raw), width)


FAMILY = Family(types=("catboost.core.CatBoostClassifier",), role="classifier", lower=_lower)
