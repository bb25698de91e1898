"""Normalizer: each row divided by its norm l1, l2 or max. A row of (nearly) zeros stays as it is."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, column_tensor, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]

_NEARLY_ZERO = 10 * float(np.finfo(np.float64).eps)


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    tensor = matrix(graph, taken)
    kind = step.get("norm")
    if kind not in ("l1", "l2", "max"):
        step.refuse(f"with norm={kind!r} has no exact lowering")
    norm = _norm(graph, tensor, kind, len(taken))
    small = graph.add("Less", [norm, graph.constant(np.array([[_NEARLY_ZERO]]))])
    norm = graph.add("Where", [small, graph.constant(np.array([[1.0]])), norm])
    return numbers([column.source for column in taken], graph.add("Div", [tensor, norm]))


def _norm(graph: Graph, tensor: str, kind: str, width: int) -> str:
    ones = graph.constant(np.ones((width, 1)))
    if kind == "l2":
        return graph.add("Sqrt", [graph.add("MatMul", [graph.add("Mul", [tensor, tensor]), ones])])
    size = graph.add("Abs", [tensor])
    if kind == "l1":
        return graph.add("MatMul", [size, ones])
    parts = [column_tensor(graph, Number("", size, place, width)) for place in range(width)]
    largest = parts[0]
    for part in parts[1:]:
        largest = graph.add("Where", [graph.add("Greater", [part, largest]), part, largest])
    return largest


FAMILY = Family(types=("sklearn.preprocessing._data.Normalizer",), role="transformer", lower=_lower)
