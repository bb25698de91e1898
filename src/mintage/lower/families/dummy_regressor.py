"""DummyRegressor: the same numbers for every row."""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import Column, Text, column_tensor, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.intervals import constant_like

__all__ = ["FAMILY", "same_for_all"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    return same_for_all(step, step.numbers("constant_").ravel(), columns, context)


def same_for_all(
    step: Step, answer: np.ndarray[Any, np.dtype[np.float64]], columns: list[Column], context: Context
) -> list[Column]:
    """A column for each number of ``answer``, with as many rows as ``columns`` have."""
    usable = [column for column in columns if not isinstance(column, Text)]
    if not usable:
        step.refuse("gets no column of numbers, so that nothing says how many rows there are")
    graph = context.graph
    like = column_tensor(graph, usable[0])
    parts = [constant_like(graph, like, float(value)) for value in answer.tolist()]
    return numbers([""] * len(parts), graph.concat(parts))


FAMILY = Family(types=("sklearn.dummy.DummyRegressor",), role="regressor", lower=_lower)
