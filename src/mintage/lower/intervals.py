"""Which interval a number lies in, and straight lines over each: what bins, quantiles and isotonic regression share.

Both are written as one balanced tree over the edges, so a look-up costs the logarithm of their number. ``locate`` is
``numpy.searchsorted(edges, x, side="right")``; ``interpolate`` is ``numpy.interp(x, xs, ys)``, with its own order of
operations. NaN stays NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.graph import Graph
from mintage.lower.trees import Tree, emit

__all__ = ["constant_like", "edge_tree", "interpolate", "locate"]

Array = np.ndarray[Any, Any]


def edge_tree(edges: Array) -> Tree:
    """The tree over feature 0 that gives how many of the ascending ``edges`` are at most the number.

    A split takes ``x <= threshold`` to the left, so the threshold of an edge is the double just below it.
    """
    unique, counts = np.unique(edges, return_counts=True)
    upto = np.concatenate([[0], np.cumsum(counts)]).astype(np.float64)
    size = 2 * len(unique) + 1
    threshold, value = np.zeros(size), np.zeros(size)
    left, right = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    is_leaf = np.zeros(size, dtype=bool)
    pending, node = [(0, len(unique), -1, left)], 0
    while pending:
        first, last, parent, side = pending.pop()
        if parent >= 0:
            side[parent] = node
        if first == last:
            is_leaf[node], value[node] = True, upto[first]
        else:
            middle = (first + last) // 2
            threshold[node] = np.nextafter(unique[middle], -np.inf)
            pending += [(middle + 1, last, node, right), (first, middle, node, left)]
        node += 1
    return Tree(
        feature=np.zeros(size, dtype=np.int64),
        threshold=threshold,
        members=(None,) * size,
        missing_left=np.zeros(size, dtype=bool),
        left=left,
        right=right,
        is_leaf=is_leaf,
        value=value,
    )


def locate(graph: Graph, tree: Tree, tensor: str) -> str:
    """The place [N, 1] of each number of ``tensor`` [N, 1] among the edges of ``edge_tree``, as a double."""
    place, constant = emit(graph, [tree], tensor)
    return constant_like(graph, tensor, constant) if place is None else place


def constant_like(graph: Graph, tensor: str, value: float) -> str:
    """A tensor [N, 1] of one number, with the rows of ``tensor`` [N, 1]."""
    return graph.add("Expand", [graph.constant(np.array([[value]])), graph.once("Shape", [tensor])])


def interpolate(graph: Graph, tensor: str, xs: Array, ys: Array) -> str:
    """The straight lines through the points (``xs`` ascending, ``ys``), level outside of them.

    Points so close that a double cannot hold the slope between them are joined by a step.
    """
    with np.errstate(all="ignore"):
        slopes = np.diff(ys) / np.diff(xs)
    inner = np.where(np.isfinite(slopes), slopes, 0.0)  # no number lies between equal points
    starts, heights = np.concatenate([xs[:1], xs]), np.concatenate([ys[:1], ys])
    place = graph.add("Cast", [locate(graph, edge_tree(xs), tensor)], to=7)
    start, height, slope = (
        graph.add("Gather", [graph.constant(table.astype(np.float64)), place], axis=0)
        for table in (starts, heights, np.concatenate([[0.0], inner, [0.0]]))
    )
    rise = graph.add("Mul", [slope, graph.add("Sub", [tensor, start])])
    return graph.add("Add", [rise, height])
