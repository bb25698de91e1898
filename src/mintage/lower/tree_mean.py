"""The mean of what trees give, as forests and bagging have it: added in the order of the trees, then divided once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mintage.lower.columns import Column, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.float32_trees import float32_features, note_missing
from mintage.lower.trees import Tree
from mintage.lower.vector_leaves import add_vectors

__all__ = ["mean_of_trees"]


def mean_of_trees(
    step: Step, parts: Sequence[Step], trees: Sequence[Tree], columns: list[Column], context: Context
) -> list[Column]:
    """``trees``, read from ``parts``, on the columns of ``step``: as many columns as their leaves have numbers."""
    note_missing(context, parts)
    graph, features = context.graph, float32_features(step, columns, context, trees)
    total = add_vectors(graph, trees, features)
    count = graph.constant(np.array([[float(len(trees))]]))
    return unnamed(graph.add("Div", [total, count]), trees[0].value.shape[1])
