"""The columns of a table on their way through a pipeline, and how they become one matrix of doubles.

A column is a number that a tensor holds, a text that nothing has read yet, or a coded text: a table from strings to
numbers that is written to the graph only when a matrix is asked for. So an encoder followed by the encoder inside a
gradient boosting is one look-up, and never NaN on the way. ``source`` is the raw column that it all comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["MISSING_TEXT", "Coded", "Column", "Number", "Text", "column_tensor", "matrix", "numbers", "unnamed"]

MISSING_TEXT = "\ue000missing"
"""What stands for a missing text in a string tensor: a private-use character that no category may start with."""


@dataclass(frozen=True)
class Number:
    """Column ``index`` of the tensor [N, ``width``] of doubles."""

    source: str
    tensor: str
    index: int
    width: int


@dataclass(frozen=True)
class Text:
    """A raw tensor [N, 1] of strings. ``fill`` is the text that a missing value has become, if any.

    ``same`` are texts that have become others, which an imputer takes for missing.
    """

    source: str
    tensor: str
    fill: str | None = None
    same: tuple[tuple[str, str], ...] = ()

    def replace(self, old: str, new: str) -> Text:
        """The same text with ``new`` wherever it is ``old``."""
        same = dict.fromkeys((old,), new) | {key: new if value == old else value for key, value in self.same}
        return Text(self.source, self.tensor, new if self.fill == old else self.fill, tuple(same.items()))


@dataclass(frozen=True)
class Coded:
    """A text looked up in ``table``; what is not there is ``default``. Missing is a key like any other."""

    source: str
    tensor: str
    table: tuple[tuple[str, float], ...]
    default: float

    def map(self, function: Callable[[float], float]) -> Coded:
        """The same look-up followed by ``function``."""
        table = tuple((key, function(value)) for key, value in self.table)
        return Coded(self.source, self.tensor, table, function(self.default))


Column = Number | Text | Coded


def numbers(source: Sequence[str], tensor: str) -> list[Column]:
    """All columns of a tensor, each with its source."""
    return [Number(name, tensor, index, len(source)) for index, name in enumerate(source)]


def unnamed(tensor: str, width: int) -> list[Column]:
    """All columns of a tensor [N, ``width``] that comes from no single raw column, as what a model gives does."""
    return numbers([""] * width, tensor)


def column_tensor(graph: Graph, column: Number | Coded) -> str:
    """The column as a tensor [N, 1] of doubles."""
    if isinstance(column, Coded):
        keys = [key for key, _ in column.table]
        values = np.array([value for _, value in column.table], dtype=np.float64)
        return graph.add_ml(
            "LabelEncoder",
            [column.tensor],
            keys_strings=keys,
            values_tensor=values,
            default_tensor=np.array([column.default], dtype=np.float64),
        )
    if column.width == 1:
        return column.tensor
    return graph.once("Gather", [column.tensor, graph.constant(np.array([column.index]))], axis=1)


def matrix(graph: Graph, columns: Sequence[Number | Coded]) -> str:
    """The columns side by side as a tensor [N, k] of doubles; runs that already lie so are not taken apart."""
    parts: list[str] = []
    place = 0
    while place < len(columns):
        column = columns[place]
        width = column.width if isinstance(column, Number) else 1
        run = columns[place : place + width]
        if isinstance(column, Number) and width > 1 and list(run) == _whole(column.tensor, run):
            parts.append(column.tensor)
            place += width
        else:
            parts.append(column_tensor(graph, column))
            place += 1
    return graph.concat(parts)


def _whole(tensor: str, run: Sequence[Any]) -> list[Column]:
    width = len(run)
    return [Number(column.source, tensor, index, width) for index, column in enumerate(run)]
