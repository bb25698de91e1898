"""MissingIndicator: 1 where a value is missing, else 0. SimpleImputer with add_indicator has one."""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import MISSING_TEXT, Coded, Column, Number, Text, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import lacks

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    missing = step.get("missing_values")
    places = step.numbers("features_").astype(np.int64).tolist()
    if step.get("features") == "missing-only" and step.get("error_on_new") and len(places) < len(columns):
        step.refuse("with error_on_new refuses rows by other columns than it gives: use error_on_new=False")
    return [_flag(step, columns[place], missing, context) for place in places]


def _flag(step: Step, column: Column, missing: Any, context: Context) -> Column:
    if isinstance(column, Text):
        return _text(column, missing, context)
    if missing is None or isinstance(missing, str):
        step.refuse(f"looks for {missing!r} among numbers, which have none: use NaN or a number")
    graph = context.graph
    flag = graph.add("Cast", [lacks(graph, column_tensor(graph, column), missing)], to=11)
    return Number(column.source, flag, 0, 1)


def _text(column: Text, missing: Any, context: Context) -> Column:
    if not isinstance(missing, str):
        seen = (missing is None) == (context.missing == "none") and column.fill is None
        return Coded(column.source, column.tensor, ((MISSING_TEXT, float(seen)),), 0.0)
    table = {missing: 1.0, MISSING_TEXT: float(column.fill == missing)}
    table |= {old: float(new == missing) for old, new in column.same}
    return Coded(column.source, column.tensor, tuple(table.items()), 0.0)


FAMILY = Family(types=("sklearn.impute._base.MissingIndicator",), role="transformer", lower=_lower)
