"""What the families of numeric transformers and of classifiers share: columns that are numbers, and clipping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mintage.lower.columns import Coded, Column, Number, Text
from mintage.lower.description import Step
from mintage.lower.graph import Graph

__all__ = ["clip", "lacks", "numeric"]


def numeric(step: Step, columns: Sequence[Column]) -> list[Number | Coded]:
    """The columns, all of them numbers; a text that no encoder has read is refused."""
    texts = [column.source for column in columns if isinstance(column, Text)]
    if texts:
        step.refuse(f"takes the text column {texts[0]!r}, which no encoder has turned into numbers")
    return [column for column in columns if not isinstance(column, Text)]


def lacks(graph: Graph, tensor: str, missing: float) -> str:
    """Whether each number is ``missing``, which may be NaN."""
    if math.isnan(missing):
        return graph.add("IsNaN", [tensor])
    return graph.add("Equal", [tensor, graph.constant(np.array([[float(missing)]]))])


def clip(graph: Graph, tensor: str, low: np.ndarray[Any, Any], high: np.ndarray[Any, Any]) -> str:
    """``tensor`` within [``low``, ``high``]. NaN passes: a comparison with it is false. Clip does not promise that."""
    first, last = graph.constant(low), graph.constant(high)
    tensor = graph.add("Where", [graph.add("Less", [tensor, first]), first, tensor])
    return graph.add("Where", [graph.add("Greater", [tensor, last]), last, tensor])
