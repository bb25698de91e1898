"""XGBoost's sums: float32 features, float32 splits and leaves, added in float32 in the library's order.

A split takes ``x < threshold`` to the left; for float32 numbers that is ``x <=`` the float32 just below. A split by
categories takes its set to the right, and missing ones where the split says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mintage.lower.boosting.codes import of_dictionary, of_numbers
from mintage.lower.boosting.links import DOUBLE, SINGLE
from mintage.lower.boosting.xgboost_model import Grown, Linear, XGBoost
from mintage.lower.columns import Coded, Column, Number, Text, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric
from mintage.lower.trees import Tree, emit, same_everywhere
from mintage.lower.vector_leaves import one_target_trees

__all__ = ["sums"]


def sums(step: Step, model: XGBoost, columns: list[Column], context: Context) -> str:
    """The tensor [N, k] of float32 sums, before the link."""
    if model.features != len(columns):
        step.refuse(f"was fitted on {model.features} columns, and gets {len(columns)}")
    context.rounds = "XGBoost"
    if isinstance(model.booster, Linear):
        return _linear(step, model, model.booster, columns, context)
    sizes = _sizes(model, model.booster)
    taken = [
        _feature(step, known, sizes.get(place), column, context)
        for place, (known, column) in enumerate(zip(model.dictionaries, columns, strict=True))
    ]
    features = _single(step, matrix(context.graph, taken), model, context)
    trees = [_tree(tree, model, sizes, width=len(model.start)) for tree in model.booster]
    parts = [part for tree, grown in zip(trees, model.booster, strict=True) for part in _scalar(tree, grown)]
    seen = context.graph.add("Cast", [features], to=DOUBLE)
    context.note_trees(parts, numbers([column.source for column in columns], seen), single=False)
    start = [same_everywhere(float(value), target) for target, value in enumerate(model.start)]
    rest = [same_everywhere(float(part.value[0]), _target(part)) if part.is_leaf[0] else part for part in parts]
    total, _ = emit(context.graph, [*start, *rest], features, targets=len(model.start), single=True)
    assert total is not None
    return total


def _single(step: Step, tensor: str, model: XGBoost, context: Context) -> str:
    """The features in float32, with the number that stands for missing ones replaced."""
    graph = context.graph
    features = graph.add("Cast", [tensor], to=SINGLE)
    missing = step.get("missing")
    if not isinstance(missing, int | float) or np.isnan(missing):
        return features
    if any(model.categorical):
        step.refuse(f"with categories and missing={missing!r} has no exact lowering; missing=nan has")
    marker, nan = (graph.constant(np.array([[value]], dtype=np.float32)) for value in (missing, np.nan))
    return graph.add("Where", [graph.add("Equal", [features, marker]), nan, features])


def _sizes(model: XGBoost, trees: tuple[Grown, ...]) -> dict[int, int]:
    """How many categories each feature of categories has: those of its dictionary, else those that splits name."""
    found = {}
    for place, flag in enumerate(model.categorical):
        known = model.dictionaries[place]
        if flag and known is not None:
            found[place] = len(known)
        elif flag:
            named = (max(part) for tree in trees for node, part in tree.sets.items() if tree.feature[node] == place)
            found[place] = 1 + max(named, default=0)
    return found


def _feature(step: Step, known: list[Any] | None, size: int | None, column: Column, context: Context) -> Number | Coded:
    """A number as it is, or the code of a category."""
    if size is None:
        return numeric(step, [column])[0]
    if known is not None:
        return of_dictionary(step, column, known, context)
    if isinstance(column, Text):
        step.refuse("was fitted by an XGBoost before 3.1, which does not keep its categories; fit it with a newer one")
    return of_numbers(step, column, size, context, single=True)


def _tree(tree: Grown, model: XGBoost, sizes: dict[int, int], *, width: int) -> Tree:
    """With a value [nodes, k] of k sums."""
    is_leaf = tree.left == -1
    left, right = (np.where(is_leaf, 0, side) for side in (tree.left, tree.right))
    members: list[tuple[int, ...] | None] = [None] * len(is_leaf)
    for node, chosen in tree.sets.items():
        absent = () if tree.default_left[node] else (sizes[int(tree.feature[node])],)
        members[node] = (*sorted(chosen), *absent)
        left[node], right[node] = right[node], left[node]  # the set goes right
    leaf = tree.leaf
    if tree.weight is not None:
        first = model.start[0 if tree.target is None else tree.target]
        leaf = ((first + leaf) - first) * np.float32(tree.weight)  # as the library takes the start off again
    value = np.zeros((len(is_leaf), width))
    value[:, slice(None) if tree.target is None else slice(tree.target, tree.target + 1)] = leaf
    return Tree(
        feature=np.where(is_leaf, 0, tree.feature),
        threshold=np.where(is_leaf, 0.0, _below(tree.threshold)),
        members=tuple(members),
        missing_left=tree.default_left,
        left=left,
        right=right,
        is_leaf=is_leaf,
        value=value,
    )


def _below(thresholds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The float32 just below each."""
    below: np.ndarray[Any, Any] = np.nextafter(thresholds, np.float32(-np.inf)).astype(np.float64)
    return below


def _scalar(tree: Tree, grown: Grown) -> Iterator[Tree]:
    """The tree as trees that add to one sum each."""
    if grown.target is None:
        yield from one_target_trees(tree)
        return
    target = np.full(len(tree.value), grown.target)
    yield replace(tree, value=tree.value[:, grown.target], target=target)


def _target(tree: Tree) -> int:
    return 0 if tree.target is None else int(tree.target[0])


def _linear(step: Step, model: XGBoost, booster: Linear, columns: list[Column], context: Context) -> str:
    """``x @ weights + bias``, without what is missing; in double precision, where the library rounds each step."""
    graph, taken = context.graph, numeric(step, columns)
    tensor = graph.add("Cast", [_single(step, matrix(graph, taken), model, context)], to=DOUBLE)
    context.note_trees([], numbers([column.source for column in taken], tensor), single=True)
    present = graph.add("Where", [graph.add("IsNaN", [tensor]), graph.constant(np.array([[0.0]])), tensor])
    weights = booster.weights.astype(np.float64)
    found = graph.add("MatMul", [present, graph.constant(weights[:-1])])
    bias = graph.constant((weights[-1] + float(model.start[0]))[np.newaxis])  # the library adds the first to all sums
    return graph.add("Cast", [graph.add("Add", [found, bias])], to=SINGLE)
