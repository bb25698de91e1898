"""Decision trees as flat arrays, and how they become one TreeEnsemble node of ai.onnx.ml (operator set 5).

A family reads its library's trees into ``Trees``; ``emit`` writes them, and the edge rows of the parity gate are found
from them. At a split the left child is taken when ``x <= threshold``, or when x is one of ``members``; NaN goes left
where ``missing_left``. A split by members never sees NaN: a missing category has an index of its own among them
(runtimes differ on NaN there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["Tree", "emit", "reaching"]

_LEQ, _MEMBER = 0, 6
_NEVER = -1.0


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is its root. ``feature`` is a column of the matrix; ``members`` is None at a threshold."""

    feature: np.ndarray[Any, np.dtype[np.int64]]
    threshold: np.ndarray[Any, np.dtype[np.float64]]
    members: tuple[tuple[int, ...] | None, ...]
    missing_left: np.ndarray[Any, np.dtype[np.bool_]]
    left: np.ndarray[Any, np.dtype[np.int64]]
    right: np.ndarray[Any, np.dtype[np.int64]]
    is_leaf: np.ndarray[Any, np.dtype[np.bool_]]
    value: np.ndarray[Any, np.dtype[np.float64]]


def emit(graph: Graph, trees: Sequence[Tree], features: str) -> tuple[str | None, float]:
    """Write the trees; returns the tensor [N, 1] of their sum, and the sum of those that are a single leaf.

    The tensor is None when every tree is a single leaf. Trees are written in order, each root first, so that a
    runtime adds their values in the order in which the library does.
    """
    constant = float(sum(tree.value[0] for tree in trees if tree.is_leaf[0]))
    grown = [tree for tree in trees if not tree.is_leaf[0]]
    if not grown:
        return None, constant
    nodes = _Nodes()
    for tree in grown:
        nodes.add(tree)
    return graph.add_ml("TreeEnsemble", [features], **nodes.attributes()), constant


class _Nodes:
    """The attributes of a TreeEnsemble, tree after tree. Inner nodes and leaves are numbered apart."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.leaves: list[float] = []
        self.inner = 0
        self.parts: dict[str, list[Any]] = {
            name: [] for name in ("mode", "feature", "split", "missing", "true", "true_leaf", "false", "false_leaf")
        }
        self.members: list[float] = []

    def add(self, tree: Tree) -> None:
        """Number the nodes of one tree, then write its inner ones."""
        place = np.empty(len(tree.value), dtype=np.int64)
        place[~tree.is_leaf] = self.inner + np.arange(int((~tree.is_leaf).sum()))
        place[tree.is_leaf] = len(self.leaves) + np.arange(int(tree.is_leaf.sum()))
        self.roots.append(self.inner)
        self.leaves.extend(tree.value[tree.is_leaf].tolist())
        for node in np.flatnonzero(~tree.is_leaf).tolist():
            members = tree.members[node]
            if members is not None:
                self.members.extend([*(float(item) for item in members or (_NEVER,)), np.nan])
            row = (
                _LEQ if members is None else _MEMBER,
                int(tree.feature[node]),
                float(tree.threshold[node]) if members is None else 0.0,
                int(tree.missing_left[node]) if members is None else 0,
                int(place[tree.left[node]]),
                int(tree.is_leaf[tree.left[node]]),
                int(place[tree.right[node]]),
                int(tree.is_leaf[tree.right[node]]),
            )
            for column, value in zip(self.parts.values(), row, strict=True):
                column.append(value)
            self.inner += 1

    def attributes(self) -> dict[str, Any]:
        """As the operator names them."""
        parts = self.parts
        found: dict[str, Any] = {
            "n_targets": 1,
            "tree_roots": self.roots,
            "nodes_modes": np.array(parts["mode"], dtype=np.uint8),
            "nodes_featureids": parts["feature"],
            "nodes_splits": np.array(parts["split"], dtype=np.float64),
            "nodes_missing_value_tracks_true": parts["missing"],
            "nodes_truenodeids": parts["true"],
            "nodes_trueleafs": parts["true_leaf"],
            "nodes_falsenodeids": parts["false"],
            "nodes_falseleafs": parts["false_leaf"],
            "leaf_targetids": [0] * len(self.leaves),
            "leaf_weights": np.array(self.leaves, dtype=np.float64),
        }
        if self.members:
            found["membership_values"] = np.array(self.members, dtype=np.float64)
        return found


def reaching(tree: Tree, features: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows of ``features`` [N, k] pass through which node: boolean [nodes, N]."""
    found = np.zeros((len(tree.value), len(features)), dtype=bool)
    found[0] = True
    for node in range(len(tree.value)):
        if tree.is_leaf[node]:
            continue
        values = features[:, tree.feature[node]]
        members = tree.members[node]
        if members is not None:
            left = np.isin(values, np.array(members, dtype=np.float64))
        else:
            left = (values <= tree.threshold[node]) | (np.isnan(values) & tree.missing_left[node])
        found[tree.left[node]] |= found[node] & left
        found[tree.right[node]] |= found[node] & ~left
    return found
