"""MissingIndicator: 1 where a value is missing, else 0. SimpleImputer with add_indicator has one."""

from __future__ import annotations

import math

import numpy as np

from mintage.lower.categories import is_missing
from mintage.lower.columns import MISSING_TEXT, Coded, Column, Number, Text, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    missing = step.get("missing_values")
    if not is_missing(missing):
        step.refuse(f"with missing_values={missing!r} has no exact lowering; NaN or None has")
    places = step.numbers("features_").astype(np.int64).tolist()
    if step.get("features") == "missing-only" and step.get("error_on_new") and len(places) < len(columns):
        step.refuse("with error_on_new refuses rows by other columns than it gives: use error_on_new=False")
    return [_flag(step, columns[place], none=missing is None, context=context) for place in places]


def _flag(step: Step, column: Column, *, none: bool, context: Context) -> Column:
    if isinstance(column, Text):
        seen = none == (context.missing == "none") and column.fill is None
        return Coded(column.source, column.tensor, ((MISSING_TEXT, float(seen)),), 0.0)
    if none:
        step.refuse("looks for None among numbers, which have none: use NaN")
    if isinstance(column, Coded):
        return column.map(lambda value: float(math.isnan(value)))
    graph = context.graph
    flag = graph.add("Cast", [graph.add("IsNaN", [column_tensor(graph, column)])], to=11)
    return Number(column.source, flag, 0, 1)


FAMILY = Family(types=("sklearn.impute._base.MissingIndicator",), role="transformer", lower=_lower)
