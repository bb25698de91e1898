"""The softmax as scikit-learn writes it: the largest of a row is taken off, then exponentials over their sum."""

from __future__ import annotations

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["softmax"]


def softmax(graph: Graph, raw: str) -> str:
    """Of each row of ``raw`` [N, k]: what its numbers are as logarithms of probabilities, but for a constant."""
    axis = graph.constant(np.array([1]))
    top = graph.add("ReduceMax", [raw, axis], keepdims=1)
    powers = graph.add("Exp", [graph.add("Sub", [raw, top])])
    return graph.add("Div", [powers, graph.add("ReduceSum", [powers, axis], keepdims=1)])
