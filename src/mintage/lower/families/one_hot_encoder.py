"""OneHotEncoder: one column of 0 and 1 a category; an unknown value is all zeros, or refused by the signature."""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.categories import fitted_categories, look_up
from mintage.lower.columns import Column, column_tensor, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]

_UNKNOWN = -1.0


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    handling = step.get("handle_unknown")
    if step.get("_infrequent_enabled") or handling not in ("ignore", "error"):
        step.refuse(f"with handle_unknown={handling!r}, min_frequency or max_categories has no exact lowering")
    graph, result = context.graph, []
    dropped = _dropped(step, len(columns))
    for column, values, drop in zip(columns, fitted_categories(step, len(columns)), dropped, strict=True):
        places = look_up(
            step, column, values, context, code=float, missing=None, unknown=_UNKNOWN, closed=handling == "error"
        )
        kept = np.array([[float(place) for place in range(len(values)) if place != drop]])
        if kept.size == 0:
            continue
        same = graph.add("Equal", [column_tensor(graph, places), graph.constant(kept)])
        result.extend(numbers([column.source] * kept.size, graph.add("Cast", [same], to=11)))
    return result


def _dropped(step: Step, count: int) -> list[Any]:
    found = step.get("drop_idx_")
    return [None] * count if found is None else list(found.tolist())


FAMILY = Family(types=("sklearn.preprocessing._encoders.OneHotEncoder",), role="transformer", lower=_lower)
