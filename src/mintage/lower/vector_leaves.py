"""Trees whose leaves give several numbers, as one TreeEnsemble: its leaves add to one sum each.

A tree is written once for each number that its leaves have beside zeros: first with the first of every leaf, then with
the second, and so on. Splits that no longer matter are left out, so a tree with pure leaves, or one that adds to a
single sum of a boosting, is written once. Adding zero changes no number, and each sum still gets its trees in their
order: the library's own result, to the last bit.

>>> leaf = np.array([[0.0, 0.0], [0.25, 0.75], [0.0, 1.0]])
>>> tree = replace(same_everywhere(0.0), value=leaf, target=None)
>>> [(part.value.tolist(), part.target.tolist()) for part in one_target_trees(tree)]
[([0.0, 0.25, 1.0], [0, 0, 1]), ([0.0, 0.75, 0.0], [0, 1, 0])]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mintage.lower.graph import Graph
from mintage.lower.trees import Tree, add_up, emit, same_everywhere

__all__ = ["add_vectors", "one_target_trees"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


def add_vectors(graph: Graph, trees: Sequence[Tree], features: str, *, start: Floats | None = None) -> str:
    """``start`` [k] and the trees' values [nodes, k], added in exactly this order: a tensor [N, k]."""
    width = trees[0].value.shape[1]
    if width == 1:
        first = 0.0 if start is None else float(start[0])
        return add_up(graph, [replace(tree, value=tree.value[:, 0]) for tree in trees], features, start=first)
    known = [] if start is None else [(target, value) for target, value in enumerate(start.tolist()) if value]
    parts = [same_everywhere(value, target) for target, value in known]
    for tree in trees:
        parts.extend(one_target_trees(tree))
    total, _ = emit(graph, parts or [same_everywhere(0.0)], features, targets=width)
    assert total is not None
    return total


def one_target_trees(tree: Tree) -> Iterator[Tree]:
    """Trees with one number a leaf, that add up to ``tree``; none of them is a single leaf."""
    values = np.where(tree.is_leaf[:, np.newaxis], tree.value, 0.0)
    rank = np.where(values != 0, np.cumsum(values != 0, axis=1), 0)
    for place in range(1, int(rank.max()) + 1):
        mine = rank == place
        target = mine.argmax(axis=1)  # 0 where there is none
        value = np.where(mine, values, 0.0).sum(axis=1)
        part = _without_idle_splits(replace(tree, value=value, target=target))
        yield same_everywhere(float(part.value[0]), _targets(part)[0]) if part.is_leaf[0] else part


def _without_idle_splits(tree: Tree) -> Tree:
    """The tree without splits of which both sides give the same."""
    left, right = tree.left.tolist(), tree.right.tolist()
    leaf: list[tuple[float, int] | None] = [
        (value, target) if is_leaf else None
        for is_leaf, value, target in zip(tree.is_leaf.tolist(), tree.value.tolist(), _targets(tree), strict=True)
    ]
    for node in reversed(_order(left, right, leaf)):
        if leaf[node] is None and leaf[left[node]] == leaf[right[node]]:
            leaf[node] = leaf[left[node]]
    kept = _order(left, right, leaf)
    place = {node: number for number, node in enumerate(kept)}
    found = [leaf[node] for node in kept]
    return Tree(
        feature=tree.feature[kept],
        threshold=tree.threshold[kept],
        members=tuple(tree.members[node] for node in kept),
        missing_left=tree.missing_left[kept],
        left=np.array([place.get(left[node], 0) for node in kept]),
        right=np.array([place.get(right[node], 0) for node in kept]),
        is_leaf=np.array([item is not None for item in found]),
        value=np.array([0.0 if item is None else item[0] for item in found]),
        target=np.array([0 if item is None else item[1] for item in found]),
    )


def _targets(tree: Tree) -> list[int]:
    found: list[int] = [0] * len(tree.value) if tree.target is None else tree.target.tolist()
    return found


def _order(left: Sequence[int], right: Sequence[int], leaf: Sequence[object]) -> list[int]:
    """The nodes, each before its children."""
    pending, found = [0], []
    while pending:
        node = pending.pop()
        found.append(node)
        if leaf[node] is None:
            pending += [right[node], left[node]]
    return found
