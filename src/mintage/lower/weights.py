"""Columns times the weight that their transformer has in a FeatureUnion or a ColumnTransformer."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Coded, Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.numeric import numeric

__all__ = ["weighted"]


def weighted(step: Step, name: str, columns: list[Column], context: Context) -> list[Column]:
    """The columns that the transformer ``name`` made, times its weight if it has one."""
    weights = step.get("transformer_weights")
    if weights is None or name not in weights or not columns:
        return columns
    taken = numeric(step.at(name), columns)
    factor = float(weights[name])
    if all(isinstance(column, Coded) for column in taken):
        return [column.map(lambda value: value * factor) for column in taken if isinstance(column, Coded)]
    graph = context.graph
    tensor = graph.add("Mul", [matrix(graph, taken), graph.constant(np.array([[factor]]))])
    return numbers([column.source for column in taken], tensor)
