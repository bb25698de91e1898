"""What encoders share: the fitted categories of a column, and the look-up from raw values to their places.

In scikit-learn a missing value is a category of its own if the training data had one (the last, None or NaN), else it
is unknown; only NaN is encoded as ``encoded_missing_value`` says, None has a place like any other. Whether None or NaN
is the missing text depends on the table that the estimator is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mintage.lower.columns import MISSING_TEXT, Coded, Column, Number, Text, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context

__all__ = ["fitted_categories", "grouped", "is_missing", "look_up", "rare_groups"]


def fitted_categories(step: Step, count: int) -> list[list[Any]]:
    """``categories_`` as lists: text, numbers, None or NaN; other values are refused."""
    found = step.get("categories_")
    if not isinstance(found, list) or len(found) != count:
        step.refuse("has categories that do not fit its columns")
    for values in found:
        if not isinstance(values, np.ndarray) or (values.dtype.kind not in "OUbiuf"):
            step.refuse("has categories that are neither text nor numbers")
        for value in values.tolist():
            if not isinstance(value, str | float | int | None):
                step.refuse("has categories that are neither text nor numbers")
    return [values.tolist() for values in found]


def rare_groups(step: Step, count: int) -> list[list[int] | None]:
    """Of each column the place of each category after rare ones were put together, or None if none were."""
    if not step.state.get("_infrequent_enabled"):
        return [None] * count
    found = step.get("_default_to_infrequent_mappings")
    if not isinstance(found, list) or len(found) != count:
        step.refuse("puts rare categories together in an unknown way: this version of its library is not known")
    return [None if group is None else [int(place) for place in group.tolist()] for group in found]


def grouped(group: list[int]) -> Callable[[int], float]:
    """The code of a category at a place, for ``look_up``."""
    return lambda place: float(group[place])


def look_up(
    step: Step,
    column: Column,
    values: list[Any],
    context: Context,
    *,
    code: Callable[[int], float],
    missing: float | None,
    unknown: float,
    closed: bool = False,
) -> Number | Coded:
    """The column with each category at place i replaced by ``code(i)``.

    ``missing`` is the code of NaN where that is a category (None: its place's own code); anything else is
    ``unknown``. With ``closed`` the estimator refuses unknown values, which is noted for the signature.
    """
    codes = {value: code(place) for place, value in enumerate(values) if not is_missing(value)}
    for place, value in enumerate(values):
        if is_missing(value):
            codes[value] = code(place) if missing is None or value is None else missing
    if isinstance(column, Text) or (isinstance(column, Number) and column.tensor == column.source):
        taken = [value for value in values if not is_missing(value)]
        replaced = [old for old, new in column.same if new in taken] if isinstance(column, Text) else []
        _note(column.source, [*taken, *(old for old in replaced if old not in taken)], context, closed=closed)
    if isinstance(column, Text):
        return _text(step, column, codes, context, unknown)
    found = {float(value): place for value, place in codes.items() if isinstance(value, int | float)}
    if len(found) != len(codes):
        step.refuse(f"has text categories for the column {column.source!r}, which holds numbers")
    of_nan = next((place for value, place in found.items() if math.isnan(value)), unknown)
    table = {value: place for value, place in found.items() if not math.isnan(value)}
    if isinstance(column, Coded):
        return column.map(lambda value: of_nan if math.isnan(value) else table.get(value, unknown))
    return _number(column, table, of_nan, unknown, context)


def is_missing(value: Any) -> bool:
    """Whether a category stands for a missing value: None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _note(source: str, values: list[Any], context: Context, *, closed: bool) -> None:
    """Where several encoders read a column, all that any has seen; with closed ones, what all of those take."""
    mine = tuple(value if isinstance(value, str) else float(value) for value in values)
    before = context.categories.get(source)
    if before is None or (closed and source not in context.closed):
        context.categories[source] = mine
    elif closed:
        context.categories[source] = tuple(value for value in before if value in mine)
    elif source not in context.closed:
        context.categories[source] = (*before, *(value for value in mine if value not in before))
    if closed:
        context.closed.add(source)


def _text(step: Step, column: Text, codes: dict[Any, float], context: Context, unknown: float) -> Coded:
    if any(not isinstance(value, str) and not is_missing(value) for value in codes):
        step.refuse(f"has numbers as categories of the text column {column.source!r}")
    same = {old: codes.get(new, unknown) for old, new in column.same}
    table = [(value, same.pop(value, place)) for value, place in codes.items() if isinstance(value, str)]
    table += same.items()
    if column.fill is not None:
        absent = codes.get(column.fill, unknown)
    elif context.missing == "none":
        absent = codes.get(None, unknown)
    else:
        absent = next((place for value, place in codes.items() if isinstance(value, float)), unknown)
    return Coded(column.source, column.tensor, (*table, (MISSING_TEXT, absent)), unknown)


def _number(column: Number, table: dict[float, float], of_nan: float, unknown: float, context: Context) -> Number:
    graph, tensor = context.graph, column_tensor(context.graph, column)
    coded = graph.add_ml(
        "LabelEncoder",
        [tensor],
        keys_tensor=np.array([*table], dtype=np.float64),
        values_tensor=np.array([*table.values()], dtype=np.float64),
        default_tensor=np.array([unknown], dtype=np.float64),
    )
    if of_nan == unknown or (math.isnan(of_nan) and math.isnan(unknown)):
        return Number(column.source, coded, 0, 1)
    missing = graph.add("IsNaN", [tensor])
    tensor = graph.add("Where", [missing, graph.constant(np.array([[of_nan]])), coded])
    return Number(column.source, tensor, 0, 1)
