"""What a published converter lowered: its graph, found beside the object's attributes, written with our operators.

``extract/converters.py`` lists the types and asks skl2onnx; networks of PyTorch and plain ONNX files come the same way.
Whether the converter was right is for the comparison with the original; who converted what is noted for parity.json.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.extract.converters import CONVERTED
from mintage.lower.extract.graph_model import GRAPH
from mintage.lower.graph import Graph
from mintage.lower.numeric import numeric
from mintage.lower.splice import Source, Spliced, read_source, splice

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    data, by = _conversion(step)
    taken = numeric(step, columns)
    try:
        source = read_source(data)
        tried = splice(Graph(), source, "x", len(taken))
    except ValueError as error:
        step.refuse(f"was converted by {by}, but not to a graph that is known: {error}")
    if tried.picked is not None:
        return [columns[place] for place in tried.picked]
    context.converters[step.path] = by
    return _outputs(step, _spliced(source, taken, context, by), columns)


def _conversion(step: Step) -> tuple[bytes, str]:
    """The graph's bytes, and who made them."""
    reason, data, by = (step.state.get(name) for name in ("#refused", "#onnx", "#converter"))
    if isinstance(reason, str):
        step.refuse(reason)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or not isinstance(by, str):
        step.refuse("has no conversion by a published converter: this version of its library is not known")
    return data.tobytes(), by


def _spliced(source: Source, taken: list[Any], context: Context, by: str) -> Spliced:
    tensor = matrix(context.graph, taken)
    if source.kind == "float":
        context.note_trees((), numbers([column.source for column in taken], tensor), single=True)
    found = splice(context.graph, source, tensor, len(taken))
    if found.single:
        context.rounds = by
        context.note_finite(_size(context.graph, found.tensor), taken)
    return found


def _size(graph: Graph, tensor: str) -> str:
    """The sum of what it gives, infinite where it gives no number: from there on are the limits of the inputs."""
    size = graph.add("ReduceSum", [graph.add("Abs", [tensor]), graph.constant(np.array([1]))], keepdims=1)
    return graph.add("Where", [graph.add("IsNaN", [size]), graph.constant(np.array([[np.inf]])), size])


def _outputs(step: Step, found: Spliced, columns: list[Column]) -> list[Column]:
    """All columns; of the probabilities of two classes only the second."""
    made = numbers([""] * found.width, found.tensor)
    if step.type == GRAPH and step.state.get("#classes") == 2:
        return made[-1:]
    return made


FAMILY = Family(types=(*sorted(CONVERTED), GRAPH), role="transformer", lower=_lower)
