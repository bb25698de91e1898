"""AdaBoostClassifier of decision trees with two classes: a weighted vote, then the logistic function.

Each tree votes its weight for a class or against it. The library gives twice the mean vote to a softmax over both
classes, which is the logistic function of it. Its rounds by probabilities (SAMME.R, of older versions) are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_CLASSIFIERS, float32_features, positive_shares, read_tree, tree_steps
from mintage.lower.trees import Tree, add_up

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.state.get("algorithm") == "SAMME.R":
        step.refuse("with algorithm='SAMME.R' has no exact lowering; SAMME has")
    positive, weights = step.get("classes_")[-1], step.numbers("estimator_weights_")
    parts = tree_steps(step, "estimators_", TREE_CLASSIFIERS)
    if len(weights) < len(parts):
        step.refuse("has fewer weights than trees")
    trees = [_votes(part, float(weight), positive) for part, weight in zip(parts, weights, strict=False)]
    context.refuses_missing = True
    graph = context.graph
    total = add_up(graph, trees, float32_features(step, columns, context, trees))
    mean = graph.add("Div", [total, graph.constant(np.array([[float(weights.sum())]]))])
    return [Number("", graph.add("Sigmoid", [graph.add("Add", [mean, mean])]), 0, 1)]


def _votes(step: Step, weight: float, positive: Any) -> Tree:
    """A tie goes to the first class, as with the library's argmax."""

    def leaf_values(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        share = positive_shares(step, values, positive)
        other = values[:, 0, 0] if values.shape[2] == 2 else 1.0 - share
        return np.where(share > other, weight, -weight)

    return read_tree(step, leaf_values)


FAMILY = Family(types=("sklearn.ensemble._weight_boosting.AdaBoostClassifier",), role="classifier", lower=_lower)
