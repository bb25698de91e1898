"""Whether the answers to changed rows stand to the answer to a row as a relation says. Pure; numpy and nothing else.

``equal``, ``same label``, ``not less``, ``not greater`` are of each changed row; ``sum`` says that the answer is that
of all changed rows together. A number may be off by ``tolerance``, as a share of it where it is beyond one.

>>> task = {"task": "regression", "threshold": 0.5}
>>> holds("not less", np.array([2.0, 2.5]), tolerance=0.0, **task)
True
>>> holds("sum", np.array([5.0, 2.0, 2.0]), tolerance=0.0, **task)
False
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["RELATIONS", "holds", "relations_of"]

RELATIONS = ("equal", "same label", "not less", "not greater", "sum")


def relations_of(task: str) -> tuple[str, ...]:
    """The relations that have a meaning for a task."""
    if task == "multiclass":
        return RELATIONS[:2]
    return RELATIONS if task == "binary" else tuple(name for name in RELATIONS if name != "same label")


def holds(relation: str, values: Any, *, task: str, threshold: float, tolerance: float) -> bool:
    """Whether it holds of ``values``, the answer to the row first."""
    before, after = values[0], values[1:]
    if relation == "same label":
        labels = values.argmax(axis=1) if task == "multiclass" else values >= threshold
        return bool((labels == labels[0]).all())
    slack = tolerance * np.maximum(1.0, np.abs(before))
    if relation == "equal":
        return bool((np.abs(after - before) <= slack).all())
    if relation == "sum":
        return bool(abs(after.sum() - before) <= slack)
    return bool((after >= before - slack).all() if relation == "not less" else (after <= before + slack).all())
