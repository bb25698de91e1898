"""The kernels of support vector machines: each row against each support vector, as [N, vectors].

The radial kernel needs distances. With few columns they are sums of squared differences; with many that would be slow,
so they come from one product, after the rows are centred on the vectors, which keeps the digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.description import Step
from mintage.lower.graph import Graph

__all__ = ["kernel", "squared_distances"]

FEW = 16
Floats = np.ndarray[Any, np.dtype[np.float64]]


def kernel(step: Step, graph: Graph, rows: str, vectors: Floats) -> str:
    """What the kernel of ``step`` makes of rows [N, k] and the support vectors [vectors, k]."""
    kind = step.get("kernel")
    if kind not in ("linear", "poly", "rbf", "sigmoid"):
        step.refuse("has a kernel of its own: 'linear', 'poly', 'rbf' and 'sigmoid' have an exact lowering")
    gamma = float(step.get("_gamma"))
    if kind == "rbf":
        distances = squared_distances(graph, rows, vectors)
        return graph.add("Exp", [graph.add("Mul", [distances, _number(graph, -gamma)])])
    products = graph.add("MatMul", [rows, graph.constant(np.ascontiguousarray(vectors.T))])
    if kind == "linear":
        return products
    shifted = graph.add("Mul", [products, _number(graph, gamma)])
    shifted = graph.add("Add", [shifted, _number(graph, float(step.get("coef0")))])
    return graph.add("Tanh", [shifted]) if kind == "sigmoid" else _power(graph, shifted, int(step.get("degree")))


def squared_distances(graph: Graph, rows: str, vectors: Floats, *, exact: bool = False) -> str:
    """|x - s|^2 of each row and each vector: of few columns, or if it must be exact at 0, column by column."""
    if exact or vectors.shape[1] <= FEW:
        return _one_by_one(graph, rows, vectors)
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    moved = graph.add("Sub", [rows, graph.constant(mean.reshape(1, -1))])
    squares = graph.add("ReduceSum", [graph.add("Mul", [moved, moved]), graph.constant(np.array([1]))], keepdims=1)
    products = graph.add("MatMul", [moved, graph.constant(np.ascontiguousarray(-2.0 * centred.T))])
    both = graph.add("Add", [squares, products])
    return graph.add("Add", [both, graph.constant((centred * centred).sum(axis=1).reshape(1, -1))])


def _one_by_one(graph: Graph, rows: str, vectors: Floats) -> str:
    """The squares of the differences, added in the order of the columns."""
    total = ""
    for place in range(vectors.shape[1]):
        column = graph.once("Gather", [rows, graph.constant(np.array([place]))], axis=1)
        apart = graph.add("Sub", [column, graph.constant(vectors[:, place].reshape(1, -1))])
        square = graph.add("Mul", [apart, apart])
        total = graph.add("Add", [total, square]) if total else square
    return total


def _power(graph: Graph, tensor: str, times: int) -> str:
    """By squaring, as the library does."""
    result = None
    while times > 0:
        if times % 2:
            result = tensor if result is None else graph.add("Mul", [result, tensor])
        times //= 2
        if times:
            tensor = graph.add("Mul", [tensor, tensor])
    return graph.add("Mul", [tensor, _number(graph, 0.0)]) if result is None else result


def _number(graph: Graph, value: float) -> str:
    return graph.constant(np.array([[value]]))
