"""LightGBM's sums: double-precision splits and leaves, added in the library's order.

What is missing differs from split to split: a feature is written once for each way that splits see it. A split by
categories takes its set to the left, and anything else, missing or unheard of, to the right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.boosting.codes import of_dictionary, of_numbers
from mintage.lower.boosting.lightgbm_model import NAN, NEVER, ZERO, Grown, LightGBM
from mintage.lower.columns import Coded, Column, Number, Text, column_tensor, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric
from mintage.lower.trees import Tree, emit, same_everywhere

__all__ = ["sums"]

_SET = -1
_NEAR_ZERO = float(np.float32(1e-35))


def sums(step: Step, model: LightGBM, columns: list[Column], context: Context) -> str:
    """The tensor [N, k] of sums, before the link."""
    graph = context.graph
    if len(model.categorical) != len(columns):
        step.refuse(f"was fitted on {len(model.categorical)} columns, and gets {len(columns)}")
    ways = sorted({way for tree in model.trees for way in _ways(tree)}) or [(0, NAN)]
    dictionaries = _dictionaries(step, model, columns)
    sizes = _sizes(model, dictionaries)
    taken = [
        of_dictionary(step, columns[place], dictionaries[place], context)
        if place in dictionaries
        else _feature(step, columns[place], way, sizes.get(place, 0), context)
        for place, way in ways
    ]
    places = {way: place for place, way in enumerate(ways)}
    trees = [_tree(tree, places, target=number % model.width) for number, tree in enumerate(model.trees)]
    context.note_trees(trees, taken, single=False)
    rest = [
        same_everywhere(float(tree.value[0]), number % model.width) if tree.is_leaf[0] else tree
        for number, tree in enumerate(trees)
    ]
    total, _ = emit(graph, rest or [same_everywhere(0.0)], matrix(graph, taken), targets=model.width)
    assert total is not None
    if not model.averaged:
        return total
    rounds = max(1, len(model.trees) // model.width)
    return graph.add("Div", [total, graph.constant(np.array([[float(rounds)]]))])


def _ways(tree: Grown) -> list[tuple[int, int]]:
    """Of each split, its feature and how it sees that: as a category, or with one of three kinds of missing."""
    kinds = (
        _SET if chosen is not None else int(missing) for chosen, missing in zip(tree.sets, tree.missing, strict=True)
    )
    return list(zip(tree.feature.tolist(), kinds, strict=True))


def _dictionaries(step: Step, model: LightGBM, columns: list[Column]) -> dict[int, list[Any]]:
    """Of each feature that pandas had as categories, these. The model does not say which they are: texts always are."""
    if not model.dictionary:
        return {}
    chosen = [place for place, column in enumerate(columns) if isinstance(column, Text) or model.categorical[place]]
    if len(chosen) != len(model.dictionary):
        step.refuse("has columns of categories that cannot be told from others; leave constant ones out")
    return dict(zip(chosen, model.dictionary, strict=True))


def _sizes(model: LightGBM, dictionaries: dict[int, list[Any]]) -> dict[int, int]:
    """Behind the last category of each feature."""
    found = {place: len(values) for place, values in dictionaries.items()}
    for tree in model.trees:
        for place, chosen in zip(tree.feature.tolist(), tree.sets, strict=True):
            if chosen is not None:
                found[place] = max(found.get(place, 0), 1 + max(chosen, default=0))
    return found


def _feature(step: Step, column: Column, way: int, size: int, context: Context) -> Number | Coded:
    if way == _SET:
        return of_numbers(step, column, size, context, single=False)
    number = numeric(step, [column])[0]
    return number if way == NAN else _as_seen(number, way, context)


def _as_seen(column: Number | Coded, way: int, context: Context) -> Number:
    """NaN as zero; or what is near zero as NaN, for splits that take both for missing."""
    graph, tensor = context.graph, column_tensor(context.graph, column)
    zero, nan = (graph.constant(np.array([[value]])) for value in (0.0, np.nan))
    if way == NEVER:
        seen = graph.once("Where", [graph.once("IsNaN", [tensor]), zero, tensor])
    else:
        assert way == ZERO
        near = graph.constant(np.array([[_NEAR_ZERO]]))
        seen = graph.add("Where", [graph.add("LessOrEqual", [graph.add("Abs", [tensor]), near]), nan, tensor])
    return Number(column.source, seen, 0, 1)


def _tree(tree: Grown, places: dict[tuple[int, int], int], *, target: int) -> Tree:
    """Splits first, in the library's order, then leaves; but a parent must come before its children."""
    splits, leaves = len(tree.feature), len(tree.leaf)
    order = _order(tree)
    number = np.empty(splits, dtype=np.int64)
    number[order] = np.arange(splits)
    left, right = (
        np.where(side >= 0, number[np.maximum(side, 0)] if splits else side, splits + ~side)[order]
        for side in (tree.left, tree.right)
    )
    none = np.zeros(leaves, dtype=np.int64)
    ways = _ways(tree)
    return Tree(
        feature=np.concatenate([np.array([places[ways[place]] for place in order.tolist()], dtype=np.int64), none]),
        threshold=np.concatenate([tree.threshold[order], none]),
        members=(*(tree.sets[place] for place in order.tolist()), *(None,) * leaves),
        missing_left=np.concatenate([tree.default_left[order], none.astype(bool)]),
        left=np.concatenate([left, none]),
        right=np.concatenate([right, none]),
        is_leaf=np.arange(splits + leaves) >= splits,
        value=np.concatenate([np.zeros(splits), tree.leaf]),
        target=np.full(splits + leaves, target),
    )


def _order(tree: Grown) -> np.ndarray[Any, Any]:
    """The splits, each before its children."""
    pending, found = [0] if len(tree.feature) else [], []
    while pending:
        node = pending.pop()
        found.append(node)
        pending += [int(side[node]) for side in (tree.right, tree.left) if side[node] >= 0]
    return np.array(found, dtype=np.int64)
