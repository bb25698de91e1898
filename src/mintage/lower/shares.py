"""Numbers as shares of their row's sum, which makes one-against-the-rest scores into probabilities."""

from __future__ import annotations

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["number", "row_sum", "shares"]


def number(graph: Graph, value: float) -> str:
    """A constant that goes with any tensor [N, k]."""
    return graph.constant(np.array([[value]]))


def row_sum(graph: Graph, tensor: str) -> str:
    """The sum [N, 1] of each row."""
    return graph.add("ReduceSum", [tensor, graph.constant(np.array([1]))], keepdims=1)


def shares(graph: Graph, tensor: str, width: int, *, of_none: float | None = None) -> str:
    """Each number divided by its row's sum; in a row of zeros all are ``of_none``, or one of ``width`` equal shares."""
    total = row_sum(graph, tensor)
    empty = graph.add("Equal", [total, number(graph, 0.0)])
    divided = graph.add("Div", [tensor, graph.add("Where", [empty, number(graph, 1.0), total])])
    equal = graph.constant(np.full((1, width), 1.0 / width if of_none is None else of_none))
    return graph.add("Where", [empty, equal, divided])
