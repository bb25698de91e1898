"""RobustScaler: ``(x - center) / scale`` in double precision; NaN stays NaN."""

from __future__ import annotations

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    tensor = matrix(graph, taken)
    if step.get("with_centering"):
        tensor = graph.add("Sub", [tensor, graph.constant(step.numbers("center_").reshape(1, -1))])
    if step.get("with_scaling"):
        tensor = graph.add("Div", [tensor, graph.constant(step.numbers("scale_").reshape(1, -1))])
    return numbers([column.source for column in taken], tensor)


FAMILY = Family(types=("sklearn.preprocessing._data.RobustScaler",), role="transformer", lower=_lower)
