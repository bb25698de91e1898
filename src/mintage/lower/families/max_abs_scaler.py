"""MaxAbsScaler: ``x / scale`` in double precision, clipped if asked for; NaN stays NaN."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import clip, numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    tensor = graph.add("Div", [matrix(graph, taken), graph.constant(step.numbers("scale_").reshape(1, -1))])
    if step.state.get("clip", False):  # older versions have no such parameter
        tensor = clip(graph, tensor, np.array([[-1.0]]), np.array([[1.0]]))
    return numbers([column.source for column in taken], tensor)


FAMILY = Family(types=("sklearn.preprocessing._data.MaxAbsScaler",), role="transformer", lower=_lower)
