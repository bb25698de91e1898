"""Lower a described estimator to ONNX: raw columns in, probabilities and labels or values out, preprocessing inside.

Everything is computed in double precision in the graph, or in float32 where the library does so. The result is exact
only as far as the parity gate proved it (``mintage.model.parity``); this room does not compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mintage.lower.columns import MISSING_TEXT, Coded, Column, Number, Text, column_tensor, matrix
from mintage.lower.description import Description
from mintage.lower.dispatch import Context
from mintage.lower.graph import Graph
from mintage.lower.outputs import output_names
from mintage.lower.registry import known_families
from mintage.lower.trees import Tree

__all__ = ["Lowered", "lower", "lower_estimator"]

Outputs = dict[str, tuple[str, str, int | None]]


@dataclass(frozen=True)
class Lowered:
    """A lowered estimator.

    ``onnx`` has one input [N, 1] a raw column and the outputs of docs/spec/model-folder.md.
    ``categories`` are those that the estimator was fitted with, by raw column; of the columns in ``closed`` it refuses
    any other. ``trees`` split on the columns of ``probe``, the same graph with the one output ``features``
    [N, k]; ``sources`` names the raw column of each, ``single`` says which of them the library takes as float32,
    ``rounded`` which come from operators whose last bit differs between libraries, and ``refuses_missing`` that it
    takes no row in which one is missing. ``rounds`` names the part that computes its
    answers in float32, if any does; ``converters`` says of each part that a published converter lowered by which one.
    """

    onnx: bytes
    categories: dict[str, tuple[str | float, ...]]
    closed: frozenset[str]
    trees: tuple[Tree, ...]
    sources: tuple[str, ...]
    single: tuple[bool, ...]
    rounded: tuple[bool, ...]
    refuses_missing: bool
    rounds: str | None
    converters: dict[str, str]
    probe: bytes | None

    @property
    def rounded_splits(self) -> int:
        """How many splits are on rounded features: a row exactly at one may go either way."""
        return sum(int(np.isin(tree.feature[~tree.is_leaf], np.flatnonzero(self.rounded)).sum()) for tree in self.trees)


def lower_estimator(description: Description, *, threshold: float = 0.5) -> bytes:
    """The ONNX bytes alone; with two classes ``label`` is 1 where the second reaches ``threshold``."""
    return lower(description, threshold=threshold).onnx


def lower(description: Description, *, threshold: float, targets: Sequence[str] = ()) -> Lowered:
    """Lower an estimator; ``targets`` names its targets where there are several.

    Raises EstimatorRefusedError with the step that has no exact lowering.
    """
    graph = Graph()
    context = Context(graph=graph, missing=description.missing, known=known_families())
    result = context.lower(description.root, _inputs(graph, description))
    taken = [column for column in result if not isinstance(column, Text)]
    needed = description.width - sum(len(classes) == 2 for classes in description.classes)
    if len(taken) != len(result) or len(taken) != needed:
        description.root.refuse(f"does not end in a {description.task}")
    _refuse_sentinel(description, context)
    outputs = (
        _class_outputs(context, taken, description, threshold=threshold, targets=targets)
        if description.classes
        else {"value": (matrix(graph, taken), "double", len(taken))}
    )
    return Lowered(
        onnx=graph.model(outputs=outputs),
        categories=context.categories,
        closed=frozenset(context.closed),
        trees=tuple(context.trees),
        sources=tuple(column.source for column in context.features),
        single=tuple(context.single),
        rounded=tuple(context.rounded),
        refuses_missing=context.refuses_missing,
        rounds=context.rounds,
        converters=context.converters,
        probe=_probe(description, context) if context.features else None,
    )


def _inputs(graph: Graph, description: Description) -> list[Column]:
    return [_raw(graph, column.name, text=column.kind == "text") for column in description.inputs]


def _raw(graph: Graph, name: str, *, text: bool) -> Column:
    tensor = graph.input(name, text=text)
    return Text(name, tensor) if text else Number(name, tensor, 0, 1)


def _class_outputs(
    context: Context,
    columns: Sequence[Number | Coded],
    description: Description,
    *,
    threshold: float,
    targets: Sequence[str],
) -> Outputs:
    """Probabilities of each target's classes, and the place of its label."""
    graph, classes = context.graph, description.classes
    if len(classes) > 1 and len(targets) != len(classes):
        description.root.refuse(f"has {len(classes)} targets; the model file names {len(targets) or 'one'}")
    found: Outputs = {}
    place = 0
    for (probabilities, label), mine in zip(output_names(len(classes), targets), classes, strict=True):
        if len(mine) == 2:
            positive = column_tensor(graph, columns[place])
            place += 1
            made = _two_classes(context, positive, threshold)
        else:
            both = matrix(graph, columns[place : place + len(mine)])
            place += len(mine)
            made = both, graph.add("ArgMax", [context.labels.get(both, both)], axis=1, keepdims=0)
        found[probabilities], found[label] = (made[0], "double", len(mine)), (made[1], "int64", None)
    return found


def _two_classes(context: Context, positive: str, threshold: float) -> tuple[str, str]:
    graph, single = context.graph, context.singles.get(positive)
    if single is None:
        negative = graph.add("Sub", [graph.constant(np.array([[1.0]])), positive])
    else:
        one = graph.constant(np.array([[1.0]], dtype=np.float32))
        negative = graph.add("Cast", [graph.add("Sub", [one, single])], to=11)
    above = graph.add("GreaterOrEqual", [positive, graph.constant(np.array([[threshold]]))])
    label = graph.add("Squeeze", [graph.add("Cast", [above], to=7), graph.constant(np.array([1]))])
    return graph.concat([negative, positive]), label


def _probe(description: Description, context: Context) -> bytes:
    """The features that the trees see, as a graph of their own."""
    graph = Graph()
    again = Context(graph=graph, missing=description.missing, known=context.known)
    again.lower(description.root, _inputs(graph, description))
    columns = [column for column in again.features if isinstance(column, Number | Coded)]
    return graph.model(outputs={"features": (matrix(graph, columns), "double", len(columns))})


def _refuse_sentinel(description: Description, context: Context) -> None:
    for name, values in context.categories.items():
        if any(isinstance(value, str) and value.startswith(MISSING_TEXT[0]) for value in values):
            description.root.refuse(f"has a category of {name} that starts with the reserved character U+E000")
