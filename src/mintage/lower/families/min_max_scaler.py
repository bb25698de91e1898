"""MinMaxScaler: ``x * scale + min`` in double precision, clipped if asked for; NaN stays NaN."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import clip, numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    tensor = graph.add("Mul", [matrix(graph, taken), graph.constant(step.numbers("scale_").reshape(1, -1))])
    tensor = graph.add("Add", [tensor, graph.constant(step.numbers("min_").reshape(1, -1))])
    if step.get("clip"):
        tensor = clip(graph, tensor, *(np.array([[float(end)]]) for end in step.get("feature_range")))
    return numbers([column.source for column in taken], tensor)


FAMILY = Family(types=("sklearn.preprocessing._data.MinMaxScaler",), role="transformer", lower=_lower)
