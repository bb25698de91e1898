"""The parts of a bagging, each with the columns that it takes, and the mean of what they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mintage.lower.columns import Column, Text, matrix, unnamed
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.ensemble import part_at, total

__all__ = ["bagged_parts", "mean_of_parts", "on_columns"]


def bagged_parts(step: Step, columns: Sequence[Column]) -> tuple[list[Step], list[list[int]]]:
    """The parts of ``step``, and the places of the columns that each was fitted on."""
    found, chosen = step.get("estimators_"), step.get("estimators_features_")
    parts = [part_at(step, f"estimators_[{place}]", part) for place, part in enumerate(found)]
    takes = [np.asarray(take, dtype=np.int64).tolist() for take in chosen]
    width = int(step.get("n_features_in_"))
    if width != len(columns):
        step.refuse(f"was fitted on {width} columns, and gets {len(columns)}")
    if not parts or len(takes) != len(parts) or any(not 0 <= place < width for take in takes for place in take):
        step.refuse("does not say which columns its parts take: this version of its library is not known")
    return parts, takes


def on_columns(columns: Sequence[Column], take: Sequence[int]) -> list[Column]:
    """Those that one part takes, in its order."""
    return [columns[place] for place in take]


def mean_of_parts(
    parts: Sequence[Step], found: Sequence[Sequence[Column]], width: int, context: Context
) -> list[Column]:
    """The mean of ``width`` columns of each part, added in order and divided once; so for the decision functions."""
    graph, tensors = context.graph, []
    for part, columns in zip(parts, found, strict=True):
        taken = [column for column in columns if not isinstance(column, Text)]
        if len(taken) != len(columns) or len(taken) != width:
            part.refuse(f"gives {len(columns)} columns where its ensemble needs {width}")
        tensors.append(matrix(graph, taken))
    count = graph.constant(np.array([[float(len(parts))]]))
    mean = graph.add("Div", [total(graph, tensors), count])
    if all(tensor in context.decisions for tensor in tensors):
        decided = total(graph, [context.decisions[tensor] for tensor in tensors])
        context.decisions[mean] = graph.add("Div", [decided, count])
    return unnamed(mean, width)
