"""QuantileTransformer: the place of a number among the fitted quantiles, uniform or as a normal deviate.

As the library does, interpolate upwards and downwards and take the mean, which counts where quantiles repeat. The
normal deviate is the inverse of the normal distribution of S. Moshier's Cephes library, which scipy uses: a rational
function in the middle, one of the square root of a logarithm in the tails.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mintage.lower.columns import Column, Number, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph
from mintage.lower.intervals import edge_tree, interpolate
from mintage.lower.numeric import clip, numeric

__all__ = ["FAMILY"]

_MARGIN = 1e-7
_ENDS = (-5.199337582605575, 5.19933758270342)  # where the library cuts off: the deviates of 1e-7 and of 1 - 1e-7
_TAIL = math.exp(-2.0)
_LEAST = 1e-13  # far below the cut, and still on the branch for tails that are not extreme
_MIDDLE = (
    (
        *(-59.9633501014107895267, 98.0010754185999661536, -56.6762857469070293439, 13.9312609387279679503),
        -1.23916583867381258016,
    ),
    (
        *(1.0, 1.95448858338141759834, 4.67627912898881538453, 86.3602421390890590575, -225.462687854119370527),
        *(200.260212380060660359, -82.0372256168333339912, 15.9056225126211695515, -1.18331621121330003142),
    ),
)
_TAILS = (
    (
        *(4.05544892305962419923, 31.5251094599893866154, 57.1628192246421288162, 44.0805073893200834700),
        *(14.6849561928858024014, 2.18663306850790267539, -0.140256079171354495875, -0.0350424626827848203418),
        -0.000857456785154685413611,
    ),
    (
        *(1.0, 15.7799883256466749731, 45.3907635128879210584, 41.3172038254672030440, 15.0425385692907503408),
        *(2.50464946208309415979, -0.142182922854787788574, -0.0380806407691578277194, -0.000933259480895457427372),
    ),
)


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    shape = step.get("output_distribution")
    if shape not in ("uniform", "normal"):
        step.refuse(f"with output_distribution={shape!r} has no exact lowering")
    quantiles, references = step.numbers("quantiles_"), step.numbers("references_")
    if quantiles.shape != (len(references), len(columns)):
        step.refuse(f"was fitted on other columns than the {len(columns)} that it gets")
    graph = context.graph
    result: list[Column] = []
    for column, fitted in zip(numeric(step, columns), quantiles.T, strict=True):
        context.note_trees([edge_tree(fitted)], [column], single=False)
        tensor = column_tensor(graph, column)
        rank = _rank(graph, tensor, np.ascontiguousarray(fitted), references, normal=shape == "normal")
        result.append(Number(column.source, _deviate(graph, rank) if shape == "normal" else rank, 0, 1))
    return result


def _rank(graph: Graph, tensor: str, quantiles: Any, references: Any, *, normal: bool) -> str:
    upwards = interpolate(graph, tensor, quantiles, references)
    negative = graph.add("Sub", [graph.constant(np.array([[0.0]])), tensor])
    downwards = interpolate(graph, negative, -quantiles[::-1], -references[::-1])
    rank = graph.add("Mul", [graph.constant(np.array([[0.5]])), graph.add("Sub", [upwards, downwards])])
    first, last = (graph.constant(np.array([[end]])) for end in (quantiles[0], quantiles[-1]))
    if normal:
        margin = graph.constant(np.array([[_MARGIN]]))
        above = graph.add("Greater", [graph.add("Add", [tensor, margin]), last])
        below = graph.add("Less", [graph.add("Sub", [tensor, margin]), first])
    else:
        above, below = graph.add("Equal", [tensor, last]), graph.add("Equal", [tensor, first])
    rank = graph.add("Where", [above, graph.constant(np.array([[1.0]])), rank])
    return graph.add("Where", [below, graph.constant(np.array([[0.0]])), rank])


def _deviate(graph: Graph, rank: str) -> str:
    """The normal deviate of a rank, cut off at both ends."""

    def number(value: float) -> str:
        return graph.constant(np.array([[value]]))

    rank = clip(graph, rank, np.array([[_LEAST]]), np.array([[1.0 - _LEAST]]))
    upper = graph.add("Sub", [number(1.0), rank])
    high = graph.add("Greater", [rank, number(1.0 - _TAIL)])
    tail = graph.add("Where", [high, upper, rank])
    centred = graph.add("Sub", [rank, number(0.5)])
    square = graph.add("Mul", [centred, centred])
    ratio = graph.add("Mul", [square, _fraction(graph, square, _MIDDLE)])
    bent = graph.add("Add", [centred, graph.add("Mul", [centred, ratio])])
    middle = graph.add("Mul", [bent, number(math.sqrt(2.0 * math.pi))])
    root = graph.add("Sqrt", [graph.add("Mul", [number(-2.0), graph.add("Log", [tail])])])
    inverse = graph.add("Div", [number(1.0), root])
    first = graph.add("Sub", [root, graph.add("Div", [graph.add("Log", [root]), root])])
    outer = graph.add("Sub", [first, graph.add("Mul", [inverse, _fraction(graph, inverse, _TAILS)])])
    signed = graph.add("Where", [high, outer, graph.add("Sub", [number(0.0), outer])])
    in_tail = graph.add("Greater", [number(_TAIL), tail])
    found = graph.add("Where", [in_tail, signed, middle])
    return clip(graph, found, *(np.array([[end]]) for end in _ENDS))


def _fraction(graph: Graph, tensor: str, parts: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    """One polynomial divided by another, the highest power first."""
    values = []
    for coefficients in parts:
        value = graph.constant(np.array([[coefficients[0]]]))
        for coefficient in coefficients[1:]:
            product = graph.add("Mul", [value, tensor])
            value = graph.add("Add", [product, graph.constant(np.array([[coefficient]]))])
        values.append(value)
    return graph.add("Div", values)


FAMILY = Family(types=("sklearn.preprocessing._data.QuantileTransformer",), role="transformer", lower=_lower)
