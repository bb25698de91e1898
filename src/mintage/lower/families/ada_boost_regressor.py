"""AdaBoostRegressor of decision trees: the weighted median of their numbers.

Each tree gives the place of its number among all numbers that any tree can give. The median is the first place up to
which the trees have half of the weight; it is found by halving, so the graph grows with the logarithm of the places.
The weights of the trees up to a place are added in the order of the trees, where the library adds them in the order of
their numbers: only where exactly half of the weight, to the last bit, lies below could that tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.float32_trees import TREE_REGRESSORS, float32_features, leaf_numbers, read_tree, tree_steps
from mintage.lower.graph import Graph
from mintage.lower.trees import Tree
from mintage.lower.vector_leaves import add_vectors

__all__ = ["FAMILY"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    parts, every = tree_steps(step, "estimators_", TREE_REGRESSORS), step.numbers("estimator_weights_")
    weights = every[: len(parts)]
    if len(weights) < len(parts) or (len(parts) > 1 and not (weights > 0).all()):
        step.refuse("has trees without a weight")
    trees = [read_tree(part, leaf_numbers) for part in parts]
    context.refuses_missing = True
    graph, features = context.graph, float32_features(step, columns, context, trees)
    if len(trees) == 1:
        return unnamed(add_vectors(graph, trees, features), 1)
    numbers = np.unique(np.concatenate([tree.value[tree.is_leaf, 0] for tree in trees]))
    places = add_vectors(graph, [_placed(tree, number, trees, numbers) for number, tree in enumerate(trees)], features)
    first = graph.add("Cast", [_median_place(graph, places, weights, len(numbers))], to=7)
    return unnamed(graph.add("Gather", [graph.constant(numbers), first], axis=0), 1)


def _placed(tree: Tree, number: int, trees: list[Tree], numbers: Floats) -> Tree:
    """The tree with the place of each leaf's number, as the ``number``-th output."""
    value = np.zeros((len(tree.value), len(trees)))
    value[:, number] = np.searchsorted(numbers, tree.value[:, 0])
    return replace(tree, value=value)


def _median_place(graph: Graph, places: str, weights: Floats, count: int) -> str:
    """Of ``places`` [N, trees], the first up to which at least half of the weight lies: a tensor [N, 1].

    ``found`` is a number of places that are too low; it grows by ever smaller powers of two.
    """
    column = graph.constant(weights.reshape(-1, 1))
    half = graph.constant(np.array([[float(0.5 * np.cumsum(weights)[-1])]]))
    found = graph.constant(np.array([[0.0]]))
    for power in reversed(range(max(1, (count - 1).bit_length()))):
        more = graph.add("Add", [found, graph.constant(np.array([[float(1 << power)]]))])
        below = graph.add("Cast", [graph.add("Less", [places, more])], to=11)
        low = graph.add("Less", [graph.add("MatMul", [below, column]), half])
        found = graph.add("Where", [low, more, found])
    return found


FAMILY = Family(types=("sklearn.ensemble._weight_boosting.AdaBoostRegressor",), role="regressor", lower=_lower)
