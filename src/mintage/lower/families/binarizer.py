"""Binarizer: 1 above the threshold, else 0."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.intervals import edge_tree
from mintage.lower.numeric import numeric
from mintage.lower.shares import number

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, threshold = context.graph, float(step.get("threshold"))
    result: list[Column] = []
    for column in numeric(step, columns):
        context.note_trees([edge_tree(np.nextafter([threshold], np.inf))], [column], single=False)
        above = graph.add("Greater", [column_tensor(graph, column), number(graph, threshold)])
        result.append(Number(column.source, graph.add("Cast", [above], to=11), 0, 1))
    return result


FAMILY = Family(types=("sklearn.preprocessing._data.Binarizer",), role="transformer", lower=_lower)
