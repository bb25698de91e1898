"""OneHotEncoder: one column of 0 and 1 a category; an unknown value is all zeros, or refused by the signature.

Rare categories share one column, the last, and an unknown value may be one of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.categories import fitted_categories, grouped, look_up, rare_groups
from mintage.lower.columns import Column, column_tensor, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]

_UNKNOWN = -1.0


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    handling, groups = step.get("handle_unknown"), rare_groups(step, len(columns))
    if handling not in ("ignore", "error", "infrequent_if_exist", "warn"):
        step.refuse(f"with handle_unknown={handling!r} has no exact lowering")
    graph, result = context.graph, []
    parts = zip(columns, fitted_categories(step, len(columns)), _dropped(step, len(columns)), groups, strict=True)
    for column, values, drop, group in parts:
        together = group is not None and handling in ("infrequent_if_exist", "warn")
        places = look_up(
            step,
            column,
            values,
            context,
            code=float if group is None else grouped(group),
            missing=None,
            unknown=float(max(group)) if group is not None and together else _UNKNOWN,
            closed=handling == "error",
        )
        count = len(values) if group is None else max(group) + 1
        kept = np.array([[float(place) for place in range(count) if place != drop]])
        if kept.size == 0:
            continue
        same = graph.add("Equal", [column_tensor(graph, places), graph.constant(kept)])
        result.extend(numbers([column.source] * kept.size, graph.add("Cast", [same], to=11)))
    return result


def _dropped(step: Step, count: int) -> list[Any]:
    """Of each column the place, among what is left of its categories, that has no column of its own."""
    found = step.state.get("_drop_idx_after_grouping", step.get("drop_idx_"))
    return [None] * count if found is None else list(found.tolist())


FAMILY = Family(types=("sklearn.preprocessing._encoders.OneHotEncoder",), role="transformer", lower=_lower)
