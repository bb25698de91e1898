"""PowerTransformer: Yeo-Johnson and Box-Cox, standardised or not, in double precision; NaN stays NaN.

The library computes ``expm1(lambda * log1p(x)) / lambda``. Box-Cox refuses numbers that are not positive, and what
follows refuses powers that overflow; both are noted as infinite features, which give the limits of the inputs.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.functions import expm1, log1p
from mintage.lower.graph import Graph
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]

_LEAST = 5e-324  # what is less is not positive
_MAGNIFIED = 1000.0  # times the rounding of a double, well below the gate's tolerance
_EPSILON = float(np.finfo(np.float64).eps)


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    method, lambdas = step.get("method"), step.numbers("lambdas_")
    if method not in ("yeo-johnson", "box-cox") or lambdas.shape != (len(columns),):
        step.refuse(f"with method={method!r}, or other columns than it was fitted on, has no exact lowering")
    graph, taken = context.graph, numeric(step, columns)
    sources, powers = [column.source for column in taken], lambdas.reshape(1, -1)
    tensor = matrix(graph, taken)
    if method == "box-cox":
        zero, least = (graph.constant(np.array([[value]])) for value in (0.0, _LEAST))
        positive = graph.add("Where", [graph.add("Less", [tensor, least]), zero, tensor])
        logarithm = graph.add("Log", [positive])
        context.note_trees([], numbers(sources, logarithm), single=True)
        tensor = _power(graph, logarithm, powers, np.abs(powers) < 1e-19)
    else:
        tensor = _yeo_johnson(graph, tensor, powers)
    result = numbers(sources, tensor)
    context.note_trees([], result, single=True)
    return context.lower(_scaler(step), result) if step.get("standardize") else result


def _scaler(step: Step) -> Step:
    """The library's own scaler. It magnifies the rounding of powers that lie close together, so that is bounded."""
    scaler = step.step("_scaler")
    magnified = float(np.max(np.abs(scaler.numbers("mean_")) / scaler.numbers("scale_"), initial=0.0))
    if not magnified <= _MAGNIFIED:
        step.refuse(
            f"makes numbers whose mean is {magnified:.3g} times their deviation, so that their rounding shows: "
            "subtract an offset first, or use another scaler"
        )
    return scaler


def _yeo_johnson(graph: Graph, tensor: str, lambdas: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> str:
    logarithm = log1p(graph, graph.add("Abs", [tensor]))
    up = _power(graph, logarithm, lambdas, np.abs(lambdas) < _EPSILON)
    down = _power(graph, logarithm, 2.0 - lambdas, np.abs(lambdas - 2.0) <= _EPSILON)
    zero = graph.constant(np.array([[0.0]]))
    return graph.add("Where", [graph.add("GreaterOrEqual", [tensor, zero]), up, graph.add("Sub", [zero, down])])


def _power(
    graph: Graph,
    logarithm: str,
    powers: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    flat: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
) -> str:
    """``expm1(power * logarithm) / power``, or the logarithm itself where ``flat``."""
    power = graph.constant(np.where(flat, 1.0, powers))
    curved = graph.add("Div", [expm1(graph, graph.add("Mul", [power, logarithm])), power])
    return graph.add("Where", [graph.constant(flat), logarithm, curved]) if flat.any() else curved


FAMILY = Family(types=("sklearn.preprocessing._data.PowerTransformer",), role="transformer", lower=_lower)
