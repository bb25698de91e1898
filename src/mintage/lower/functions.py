"""numpy's own functions of one number, as the graph computes them: each within a few units in the last place.

The operators have neither ``log1p`` nor ``expm1``; both are had from Exp and Log without loss (W. Kahan's quotients).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from mintage.lower.description import Opaque, Step
from mintage.lower.graph import Graph
from mintage.lower.shares import number

__all__ = ["FUNCTIONS", "apply", "expm1", "log1p"]


def log1p(graph: Graph, tensor: str) -> str:
    """``log(1 + x)``: with u = 1 + x, the rounding of u cancels in ``log(u) * x / (u - 1)``."""
    one = number(graph, 1.0)
    grown = graph.add("Add", [one, tensor])
    logarithm = graph.add("Log", [grown])
    ratio = graph.add("Div", [tensor, graph.add("Sub", [grown, one])])
    exact = graph.add("Where", [graph.add("Equal", [grown, tensor]), logarithm, graph.add("Mul", [logarithm, ratio])])
    return graph.add("Where", [graph.add("Equal", [grown, one]), tensor, exact])


def expm1(graph: Graph, tensor: str) -> str:
    """``exp(x) - 1``: with u = exp(x), the rounding of u cancels in ``(u - 1) * x / log(u)``."""
    one = number(graph, 1.0)
    grown = graph.add("Exp", [tensor])
    less = graph.add("Sub", [grown, one])
    exact = graph.add("Mul", [less, graph.add("Div", [tensor, graph.add("Log", [grown])])])
    near = graph.add("Less", [graph.add("Abs", [tensor]), one])
    found = graph.add("Where", [near, exact, less])
    return graph.add("Where", [graph.add("Equal", [grown, one]), tensor, found])


def _one(operator: str) -> Callable[[Graph, str], str]:
    return lambda graph, tensor: graph.add(operator, [tensor])


def _logarithm(base: float) -> Callable[[Graph, str], str]:
    return lambda graph, tensor: graph.add("Div", [graph.add("Log", [tensor]), number(graph, math.log(base))])


def _power_of(base: float) -> Callable[[Graph, str], str]:
    return lambda graph, tensor: graph.add("Pow", [number(graph, base), tensor])


def _sign(graph: Graph, tensor: str) -> str:
    zero = number(graph, 0.0)
    below = graph.add("Where", [graph.add("Less", [tensor, zero]), number(graph, -1.0), tensor])
    return graph.add("Where", [graph.add("Greater", [tensor, zero]), number(graph, 1.0), below])


FUNCTIONS: Mapping[str, Callable[[Graph, str], str]] = {
    "absolute": _one("Abs"),
    "ceil": _one("Ceil"),
    "exp": _one("Exp"),
    "exp2": _power_of(2.0),
    "expm1": expm1,
    "fabs": _one("Abs"),
    "floor": _one("Floor"),
    "log": _one("Log"),
    "log10": _logarithm(10.0),
    "log1p": log1p,
    "log2": _logarithm(2.0),
    "negative": _one("Neg"),
    "sign": _sign,
    "sqrt": _one("Sqrt"),
    "square": lambda graph, tensor: graph.add("Mul", [tensor, tensor]),
    "tanh": _one("Tanh"),
}
"""By their name in numpy."""


def apply(step: Step, name: str, graph: Graph, tensor: str) -> str:
    """The function that the attribute ``name`` is, of a tensor."""
    function = step.get(name)
    known = function.type.removeprefix("numpy.") if isinstance(function, Opaque) else ""
    if known not in FUNCTIONS or not isinstance(function, Opaque) or not function.type.startswith("numpy."):
        step.refuse(
            f"runs a function of yours: custom code has no exact lowering; of numpy, {', '.join(FUNCTIONS)} have"
        )
    return FUNCTIONS[known](graph, tensor)
