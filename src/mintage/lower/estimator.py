"""Lower a described estimator to ONNX: raw columns in, probabilities and label out, preprocessing inside.

Everything is computed in double precision in the graph, as the library does. The result is exact only as far as the
parity gate proved it (``mintage.model.parity``); this room does not compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mintage.lower.columns import MISSING_TEXT, Coded, Column, Number, Text, column_tensor, matrix
from mintage.lower.description import Description
from mintage.lower.dispatch import Context
from mintage.lower.graph import Graph
from mintage.lower.registry import known_families
from mintage.lower.trees import Tree

__all__ = ["Lowered", "lower", "lower_estimator"]


@dataclass(frozen=True)
class Lowered:
    """A lowered estimator.

    ``onnx`` has one input [N, 1] a raw column and the outputs ``probabilities`` double [N, 2] and ``label`` int64 [N].
    ``categories`` are those that the estimator was fitted with, by raw column; of the columns in ``closed`` it refuses
    any other. ``trees`` split on the columns of ``probe``, the same graph with the one output ``features``
    [N, k]; ``sources`` names the raw column of each, ``single`` says which of them the library takes as float32,
    and ``refuses_missing`` that it takes no row in which one is missing.
    """

    onnx: bytes
    categories: dict[str, tuple[str | float, ...]]
    closed: frozenset[str]
    trees: tuple[Tree, ...]
    sources: tuple[str, ...]
    single: tuple[bool, ...]
    refuses_missing: bool
    probe: bytes | None


def lower_estimator(description: Description, *, threshold: float = 0.5) -> bytes:
    """The ONNX bytes alone; ``label`` is 1 where the probability of the positive class is at least ``threshold``."""
    return lower(description, threshold=threshold).onnx


def lower(description: Description, *, threshold: float) -> Lowered:
    """Lower an estimator; raises EstimatorRefusedError with the step that has no exact lowering."""
    graph = Graph()
    context = Context(graph=graph, missing=description.missing, known=known_families())
    columns = [_raw(graph, column.name, text=column.kind == "text") for column in description.inputs]
    result = context.lower(description.root, columns)
    last = result[0]
    if len(result) != 1 or isinstance(last, Text):
        description.root.refuse("does not end in a classifier")
    positive = column_tensor(graph, last)
    _refuse_sentinel(description, context)
    return Lowered(
        onnx=graph.model(outputs=_outputs(graph, positive, threshold)),
        categories=context.categories,
        closed=frozenset(context.closed),
        trees=tuple(context.trees),
        sources=tuple(column.source for column in context.features),
        single=tuple(context.single),
        refuses_missing=context.refuses_missing,
        probe=_probe(description, context) if context.features else None,
    )


def _raw(graph: Graph, name: str, *, text: bool) -> Column:
    tensor = graph.input(name, text=text)
    return Text(name, tensor) if text else Number(name, tensor, 0, 1)


def _outputs(graph: Graph, positive: str, threshold: float) -> dict[str, tuple[str, str, int | None]]:
    negative = graph.add("Sub", [graph.constant(np.array([[1.0]])), positive])
    probabilities = graph.concat([negative, positive])
    above = graph.add("GreaterOrEqual", [positive, graph.constant(np.array([[threshold]]))])
    label = graph.add("Squeeze", [graph.add("Cast", [above], to=7), graph.constant(np.array([1]))])
    return {"probabilities": (probabilities, "double", 2), "label": (label, "int64", None)}


def _probe(description: Description, context: Context) -> bytes:
    """The features that the trees see, as a graph of their own."""
    graph = Graph()
    again = Context(graph=graph, missing=description.missing, known=context.known)
    again.lower(description.root, [_raw(graph, item.name, text=item.kind == "text") for item in description.inputs])
    columns = [column for column in again.features if isinstance(column, Number | Coded)]
    return graph.model(outputs={"features": (matrix(graph, columns), "double", len(columns))})


def _refuse_sentinel(description: Description, context: Context) -> None:
    for name, values in context.categories.items():
        if any(isinstance(value, str) and value.startswith(MISSING_TEXT[0]) for value in values):
            description.root.refuse(f"has a category of {name} that starts with the reserved character U+E000")
