"""RegressorChain: a regressor a target, each also on what those before it answered."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Coded, Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import answers, part_at

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    order = np.asarray(step.get("order_"), dtype=np.int64).tolist()
    found: dict[int, Number | Coded] = {}
    before: list[Column] = []
    for place, part in zip(order, step.get("estimators_"), strict=True):
        inner = part_at(step, f"target {place}", part)
        answered = answers(inner, [*columns, *before], context, role="regressor")
        if len(answered) != 1:
            inner.refuse("has several targets; one is expected here")
        found[place] = answered[0]
        before.append(answered[0])
    return [found[place] for place in range(len(order))]


FAMILY = Family(types=("sklearn.multioutput.RegressorChain",), role="regressor", lower=_lower)
