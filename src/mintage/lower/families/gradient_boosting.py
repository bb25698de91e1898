"""GradientBoostingClassifier with two classes: a start, plus each tree's value times the learning rate.

The start is zero, or the training rows' share of the positive class, in the space of the loss. It refuses missing
values; the signature must say so of inputs that are not imputed.
"""

from __future__ import annotations

import math

import numpy as np

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import float32_features, read_tree, tree_steps
from mintage.lower.trees import add_up

__all__ = ["FAMILY"]

_REGRESSORS = ("sklearn.tree._classes.DecisionTreeRegressor",)
_STEEPNESS = {"log_loss": 1.0, "exponential": 2.0}


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    loss, found = step.get("loss"), step.get("estimators_")
    if loss not in _STEEPNESS:
        step.refuse(f"with loss={loss!r} has no exact lowering; log_loss and exponential have")
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.shape[1] != 1:
        step.refuse("with more than two classes has no exact lowering")
    rate = float(step.get("learning_rate"))
    parts = tree_steps(step, "estimators_", _REGRESSORS)
    trees = [read_tree(part, lambda values: rate * values[:, 0, 0]) for part in parts]
    context.refuses_missing = True
    graph, features = context.graph, float32_features(step, columns, context, trees)
    raw = add_up(graph, trees, features, start=_start(step) / _STEEPNESS[loss])
    if _STEEPNESS[loss] != 1.0:
        raw = graph.add("Mul", [raw, graph.constant(np.array([[_STEEPNESS[loss]]]))])
    return [Number("", graph.add("Sigmoid", [raw]), 0, 1)]


def _start(step: Step) -> float:
    """The log-odds that the trees are added to."""
    first = step.get("init_")
    if first == "zero":
        return 0.0
    if not isinstance(first, Step) or first.type != "sklearn.dummy.DummyClassifier" or first.get("strategy") != "prior":
        name = getattr(first, "type", first)
        step.refuse(f"starts from {name}; it has an exact lowering with init=None or init='zero'")
    share = float(first.numbers("class_prior_").ravel()[-1])
    tiny = float(np.finfo(np.float64).eps)
    share = min(max(share, tiny), 1.0 - tiny)
    return math.log(share / (1.0 - share))


FAMILY = Family(types=("sklearn.ensemble._gb.GradientBoostingClassifier",), role="classifier", lower=_lower)
