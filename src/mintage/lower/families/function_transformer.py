"""FunctionTransformer: one of numpy's own functions, or none, as scikit-learn puts where ``passthrough`` was asked for.

Where the function has no finite answer is outside of the inputs' limits.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.functions import apply
from mintage.lower.graph import Graph
from mintage.lower.numeric import numeric

__all__ = ["FAMILY", "apply", "finite_or_infinite"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("func") is None:
        return columns
    if step.get("kw_args") not in (None, {}):
        step.refuse("gives its function other arguments, which has no exact lowering")
    found: list[Column] = []
    for column in numeric(step, columns):
        tensor = column_tensor(context.graph, column)
        made = apply(step, "func", context.graph, tensor)
        guard = finite_or_infinite(context.graph, tensor, made)
        context.note_trees([], [Number(column.source, guard, 0, 1)], single=True)
        found.append(Number(column.source, made, 0, 1))
    return found


def finite_or_infinite(graph: Graph, tensor: str, made: str) -> str:
    """Infinite where the function is, and where it makes no number of one."""
    infinite = graph.constant(np.array([[np.inf]]))
    lost = graph.add("And", [graph.add("IsNaN", [made]), graph.add("Not", [graph.add("IsNaN", [tensor])])])
    return graph.add("Where", [lost, infinite, made])


FAMILY = Family(
    types=("sklearn.preprocessing._function_transformer.FunctionTransformer",), role="transformer", lower=_lower
)
