"""GradientBoostingClassifier: a start, plus each tree's value times the learning rate, then a link function.

With two classes it is one sum and the logistic function, with more one sum a class and the softmax.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.boosted import boosted
from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]

_STEEPNESS = {"log_loss": 1.0, "exponential": 2.0}


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    loss = step.get("loss")
    if loss not in _STEEPNESS:
        step.refuse(f"with loss={loss!r} has no exact lowering; log_loss and exponential have")
    graph = context.graph
    raw, width = boosted(step, columns, context, steepness=_STEEPNESS[loss])
    if width > 1:
        found = softmax(graph, raw)
    elif _STEEPNESS[loss] == 1.0:
        found = graph.add("Sigmoid", [raw])
    else:
        steeper = graph.add("Mul", [raw, graph.constant(np.array([[_STEEPNESS[loss]]]))])
        found = graph.add("Sigmoid", [steeper])
    context.decisions[found] = raw
    return unnamed(found, width)


FAMILY = Family(types=("sklearn.ensemble._gb.GradientBoostingClassifier",), role="classifier", lower=_lower)
