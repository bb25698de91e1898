"""Decision trees as flat arrays, and how they become one TreeEnsemble node of ai.onnx.ml (operator set 5).

A family reads its library's trees into ``Trees``; ``emit`` writes them, and the edge rows of the parity gate are found
from them. At a split the left child is taken when ``x <= threshold``, or when x is one of ``members``; NaN goes left
where ``missing_left``. A split by members never sees NaN: a missing category has an index of its own among them
(runtimes differ on NaN there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["Tree", "add_up", "emit", "passing", "same_everywhere"]

_LEQ, _MEMBER = 0, 6
_NEVER = -1.0


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is its root. ``feature`` is a column of the matrix; ``members`` is None at a threshold.

    ``value`` is [nodes], or [nodes, k] where each leaf gives k numbers (``vector_leaves`` writes those). ``target``
    says to which of an ensemble's sums a leaf adds; None is the first.
    """

    feature: np.ndarray[Any, np.dtype[np.int64]]
    threshold: np.ndarray[Any, np.dtype[np.float64]]
    members: tuple[tuple[int, ...] | None, ...]
    missing_left: np.ndarray[Any, np.dtype[np.bool_]]
    left: np.ndarray[Any, np.dtype[np.int64]]
    right: np.ndarray[Any, np.dtype[np.int64]]
    is_leaf: np.ndarray[Any, np.dtype[np.bool_]]
    value: np.ndarray[Any, np.dtype[np.float64]]
    target: np.ndarray[Any, np.dtype[np.int64]] | None = None


def emit(
    graph: Graph, trees: Sequence[Tree], features: str, *, targets: int = 1, single: bool = False
) -> tuple[str | None, float]:
    """Write the trees; returns the tensor [N, targets] of their sums, and the sum of those that are a single leaf.

    The tensor is None when every tree is a single leaf. Trees are written in order, each root first, so that a
    runtime adds their values in the order in which the library does; with ``single`` in float32, of float32 features.
    """
    constant = float(sum(tree.value[0] for tree in trees if tree.is_leaf[0]))
    grown = [tree for tree in trees if not tree.is_leaf[0]]
    if not grown:
        return None, constant
    nodes = _Nodes(targets)
    for tree in grown:
        nodes.add(tree)
    return graph.add_ml("TreeEnsemble", [features], **nodes.attributes(np.float32 if single else np.float64)), constant


def add_up(graph: Graph, trees: Sequence[Tree], features: str, *, start: float = 0.0) -> str:
    """``start`` and the trees' values, added in exactly this order: a tensor [N, 1].

    What comes before the first split is folded into that tree's leaves. A single leaf after it becomes a split with two
    equal leaves, so that its value is added in its turn.
    """
    first = next((place for place, tree in enumerate(trees) if not tree.is_leaf[0]), len(trees))
    for tree in trees[:first]:
        start += float(tree.value[0])
    if first == len(trees):
        column = graph.add("Gather", [features, graph.constant(np.array([0]))], axis=1)
        return graph.add("Expand", [graph.constant(np.array([[start]])), graph.add("Shape", [column])])
    folded = replace(trees[first], value=start + trees[first].value)
    rest = [same_everywhere(float(tree.value[0])) if tree.is_leaf[0] else tree for tree in trees[first + 1 :]]
    total, _ = emit(graph, [folded, *rest], features)
    assert total is not None
    return total


def same_everywhere(value: float, target: int = 0) -> Tree:
    """A tree that gives every row the same: a split with two equal leaves, as a root may not be a leaf."""
    return Tree(
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        members=(None,) * 3,
        missing_left=np.zeros(3, dtype=bool),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        is_leaf=np.array([False, True, True]),
        value=np.full(3, value),
        target=np.full(3, target),
    )


class _Nodes:
    """The attributes of a TreeEnsemble, tree after tree. Inner nodes and leaves are numbered apart.

    Leaves that are equal are one.
    """

    def __init__(self, targets: int) -> None:
        self.targets = targets
        self.roots: list[int] = []
        self.leaves: dict[tuple[str, int], int] = {}
        self.inner = 0
        self.parts: dict[str, list[Any]] = {
            name: [] for name in ("mode", "feature", "split", "missing", "true", "true_leaf", "false", "false_leaf")
        }
        self.members: list[float] = []

    def add(self, tree: Tree) -> None:
        """Number the nodes of one tree, then write its inner ones."""
        place = np.empty(len(tree.value), dtype=np.int64)
        place[~tree.is_leaf] = self.inner + np.arange(int((~tree.is_leaf).sum()))
        place[tree.is_leaf] = self._leaf_places(tree)
        self.roots.append(self.inner)
        nodes = np.flatnonzero(~tree.is_leaf)
        sets = [tree.members[node] for node in nodes.tolist()]
        by_set = np.array([members is not None for members in sets])
        for members in sets:
            if members is not None:
                self.members.extend([*(float(item) for item in members or (_NEVER,)), np.nan])
        left, right = tree.left[nodes], tree.right[nodes]
        columns = (
            np.where(by_set, _MEMBER, _LEQ),
            tree.feature[nodes],
            np.where(by_set, 0.0, tree.threshold[nodes]),
            (tree.missing_left[nodes] & ~by_set).astype(np.int64),
            place[left],
            tree.is_leaf[left].astype(np.int64),
            place[right],
            tree.is_leaf[right].astype(np.int64),
        )
        for part, column in zip(self.parts.values(), columns, strict=True):
            part.extend(column.tolist())
        self.inner += len(nodes)

    def _leaf_places(self, tree: Tree) -> list[int]:
        """The number of each leaf; ``hex`` tells 0.0 from -0.0."""
        values = tree.value[tree.is_leaf].tolist()
        targets = [0] * len(values) if tree.target is None else tree.target[tree.is_leaf].tolist()
        keys = [(value.hex(), target) for value, target in zip(values, targets, strict=True)]
        return [self.leaves.setdefault(key, len(self.leaves)) for key in keys]

    def attributes(self, kind: type[np.float32 | np.float64]) -> dict[str, Any]:
        """As the operator names them, with thresholds and leaves of that type."""
        parts = self.parts
        found: dict[str, Any] = {
            "n_targets": self.targets,
            "tree_roots": self.roots,
            "nodes_modes": np.array(parts["mode"], dtype=np.uint8),
            "nodes_featureids": parts["feature"],
            "nodes_splits": np.array(parts["split"], dtype=kind),
            "nodes_missing_value_tracks_true": parts["missing"],
            "nodes_truenodeids": parts["true"],
            "nodes_trueleafs": parts["true_leaf"],
            "nodes_falsenodeids": parts["false"],
            "nodes_falseleafs": parts["false_leaf"],
            "leaf_targetids": [target for _, target in self.leaves],
            "leaf_weights": np.array([float.fromhex(value) for value, _ in self.leaves], dtype=kind),
        }
        if self.members:
            found["membership_values"] = np.array(self.members, dtype=kind)
        return found


def passing(tree: Tree, features: np.ndarray[Any, np.dtype[np.float64]]) -> dict[int, np.ndarray[Any, Any]]:
    """The nodes that any row of ``features`` [N, k] passes through, in their order, each with the rows that do."""
    found = {0: np.arange(len(features))} if len(features) else {}
    waiting = list(found)
    while waiting:
        node = waiting.pop()
        if tree.is_leaf[node]:
            continue
        rows = found[node]
        values = features[rows, tree.feature[node]]
        members = tree.members[node]
        if members is not None:
            left = np.isin(values, np.array(members, dtype=np.float64))
        else:
            left = (values <= tree.threshold[node]) | (np.isnan(values) & tree.missing_left[node])
        for child, taken in ((int(tree.left[node]), rows[left]), (int(tree.right[node]), rows[~left])):
            if len(taken):
                found[child] = taken
                waiting.append(child)
    return dict(sorted(found.items()))
