"""Columns of categories as the three libraries see them: whole numbers, with numbers of their own for anything else.

A split by a set of categories never sees NaN, a fraction or an unheard-of number: ``of_numbers`` sends those to the
places behind the last category.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mintage.lower.categories import look_up
from mintage.lower.columns import Coded, Column, Number, Text, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context

__all__ = ["of_dictionary", "of_numbers"]


def of_dictionary(step: Step, column: Column, values: list[Any], context: Context) -> Number | Coded:
    """Raw categories as their places in the library's dictionary; missing and unseen ones are behind the last."""
    size = float(len(values))
    return look_up(step, column, values, context, code=float, missing=size, unknown=size)


def of_numbers(step: Step, column: Column, size: int, context: Context, *, single: bool) -> Number | Coded:
    """Numbers that are categories themselves: cut to whole ones, ``size`` for NaN, ``size`` + 1 for any other.

    With ``single`` the library rounds them to float32 first, and takes no number below zero for a category.
    """
    if isinstance(column, Text):
        step.refuse(f"takes the text column {column.source!r}, which no encoder has turned into numbers")
    if isinstance(column, Coded):
        return column.map(lambda value: _code(value, size, single=single))
    graph, tensor = context.graph, column_tensor(context.graph, column)
    if single:
        tensor = graph.add("Cast", [graph.add("Cast", [tensor], to=1)], to=11)
    zero, end = graph.constant(np.array([[0.0]])), graph.constant(np.array([[float(size)]]))
    whole = graph.add("Floor", [tensor])
    above = "GreaterOrEqual" if single else "Greater"
    least = zero if single else graph.constant(np.array([[-1.0]]))
    inside = graph.add("And", [graph.add(above, [tensor, least]), graph.add("Less", [tensor, end])])
    other = graph.constant(np.array([[size + 1.0]]))
    code = graph.add("Where", [inside, graph.add("Max", [whole, zero]), other])
    return Number(column.source, graph.add("Where", [graph.add("IsNaN", [tensor]), end, code]), 0, 1)


def _code(value: float, size: int, *, single: bool) -> float:
    if math.isnan(value):
        return float(size)
    if single:
        value = float(np.float32(value))
    low = value >= 0 if single else value > -1
    return float(int(value)) if low and value < size else size + 1.0
