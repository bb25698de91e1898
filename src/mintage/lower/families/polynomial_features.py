"""PolynomialFeatures: one, the columns, and their products, each multiplied up in the library's order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement

from mintage.lower.columns import Column, Number, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.intervals import constant_like
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, taken = context.graph, numeric(step, columns)
    tensors = [column_tensor(graph, column) for column in taken]
    result: list[Column] = []
    made: dict[tuple[int, ...], str] = {}
    for chosen in _products(step, len(taken)):
        if not chosen:
            result.append(Number(taken[0].source, constant_like(graph, tensors[0], 1.0), 0, 1))
            continue
        for size in range(1, len(chosen) + 1):
            part = chosen[-size:]
            if part not in made:
                made[part] = tensors[part[0]] if size == 1 else graph.add("Mul", [made[part[1:]], tensors[part[0]]])
        if len(chosen) > 1:
            context.note_trees([], [Number(taken[place].source, made[chosen], 0, 1) for place in chosen], single=True)
        result.append(Number(taken[chosen[0]].source, made[chosen], 0, 1))
    return result


def _products(step: Step, width: int) -> Iterator[tuple[int, ...]]:
    """The columns of each product, in the order of the output."""
    if step.get("n_features_in_") != width:
        step.refuse(f"was fitted on other columns than the {width} that it gets")
    choose = combinations if step.get("interaction_only") else combinations_with_replacement
    if step.get("include_bias"):
        yield ()
    for degree in range(max(1, int(step.get("_min_degree"))), int(step.get("_max_degree")) + 1):
        yield from choose(range(width), degree)


FAMILY = Family(types=("sklearn.preprocessing._polynomial.PolynomialFeatures",), role="transformer", lower=_lower)
