"""AdaBoostClassifier of decision trees: a weighted vote, then the logistic function or the softmax.

Each tree votes its weight for a class. With two classes it votes as much against the other, and the library gives
twice the mean vote to the logistic function. With more, the votes for a class are counted, and those of the trees that
voted for others, shared by the other classes, are taken off. Rounds by probabilities (SAMME.R, of older versions) are
refused.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_CLASSIFIERS, class_shares, float32_features, read_tree, tree_steps
from mintage.lower.softmax import softmax
from mintage.lower.vector_leaves import add_vectors

__all__ = ["FAMILY"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.state.get("algorithm") == "SAMME.R":
        step.refuse("with algorithm='SAMME.R' has no exact lowering; SAMME has")
    classes, weights = np.asarray(step.get("classes_")).tolist(), step.numbers("estimator_weights_")
    parts = tree_steps(step, "estimators_", TREE_CLASSIFIERS)
    if len(weights) < len(parts):
        step.refuse("has fewer weights than trees")
    trees = [
        read_tree(part, partial(_votes, part, weight=weight, classes=classes))
        for part, weight in zip(parts, weights.tolist(), strict=False)
    ]
    context.refuses_missing = True
    graph = context.graph
    total = add_vectors(graph, trees, float32_features(step, columns, context, trees))
    whole = graph.constant(np.array([[float(weights.sum())]]))
    if len(classes) == 2:
        mean = graph.add("Div", [total, whole])
        raw = graph.add("Add", [mean, mean])
        found = graph.add("Sigmoid", [raw])
    else:
        others = graph.constant(np.array([[float(len(classes) - 1)]]))
        against = graph.add("Div", [graph.add("Sub", [whole, total]), others])
        raw = graph.add("Div", [graph.add("Sub", [total, against]), whole])
        found = softmax(graph, graph.add("Div", [raw, others]))
    context.decisions[found] = raw
    return unnamed(found, 1 if len(classes) == 2 else len(classes))


def _votes(step: Step, values: Floats, *, weight: float, classes: list[Any]) -> Floats:
    """Of each node, its votes for each class, or for and against the second of two. A tie goes to the first class."""
    every = class_shares(step, values, [classes])
    shares = np.column_stack([1.0 - every[:, 0], every[:, 0]]) if len(classes) == 2 else every
    if len(classes) == 2 and values.shape[2] == 2:
        shares = values[:, 0, :]  # to the bit, for ties
    chosen = shares.argmax(axis=1)
    if len(classes) == 2:
        return np.where(chosen == 1, weight, -weight)[:, np.newaxis]
    return np.where(chosen[:, np.newaxis] == np.arange(len(classes)), weight, 0.0)


FAMILY = Family(types=("sklearn.ensemble._weight_boosting.AdaBoostClassifier",), role="classifier", lower=_lower)
