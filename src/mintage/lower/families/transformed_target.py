"""TransformedTargetRegressor: what a regressor gives for a transformed target, transformed back.

Where the way back gives no finite number is outside of the inputs' limits.
"""

from __future__ import annotations

from mintage.lower.columns import Column, Number, column_tensor, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import answers, part_at
from mintage.lower.families.function_transformer import finite_or_infinite
from mintage.lower.inverse import inverse

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    found = answers(part_at(step, "regressor", step.get("regressor_")), columns, context, role="regressor")
    width, given = len(found), matrix(graph, found)
    made = inverse(part_at(step, "transformer", step.get("transformer_")), given, width, graph)
    if made != given:
        guard = finite_or_infinite(graph, given, made)
        for place in range(width):
            context.note_finite(column_tensor(graph, Number("", guard, place, width)), columns)
    return numbers([""] * width, made)


FAMILY = Family(types=("sklearn.compose._target.TransformedTargetRegressor",), role="regressor", lower=_lower)
