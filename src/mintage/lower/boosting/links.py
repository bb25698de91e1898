"""How the three libraries turn sums into probabilities and numbers, in double precision or as float32 code does.

In float32 an exponential is computed as a double and rounded, which is what the C library's own does but for one value
in many thousands. Everything else is the library's order of float32 operations.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["DOUBLE", "SINGLE", "exponential", "sigmoid", "single_exponential", "single_sigmoid", "single_softmax"]

SINGLE, DOUBLE = 1, 11
"""The element types of Cast."""
_LARGEST = np.array([[88.7]], dtype=np.float32)


def sigmoid(graph: Graph, raw: str, *, steepness: float = 1.0) -> str:
    """The logistic function of ``steepness`` times the doubles ``raw``, in the steps of C code.

    onnxruntime's own operator has a polynomial, which is more often another number in the last place.
    """
    if steepness != 1.0:
        raw = graph.add("Mul", [raw, graph.constant(np.array([[steepness]]))])
    one = graph.constant(np.array([[1.0]]))
    return graph.add("Div", [one, graph.add("Add", [one, graph.add("Exp", [graph.add("Neg", [raw])])])])


def exponential(graph: Graph, raw: str) -> str:
    """The exponential of doubles."""
    return graph.add("Exp", [raw])


def single_exponential(graph: Graph, raw: str) -> str:
    """The exponential of float32 numbers, rounded to float32."""
    power = graph.add("Exp", [graph.add("Cast", [raw], to=DOUBLE)])
    return graph.add("Cast", [power], to=SINGLE)


def single_sigmoid(graph: Graph, raw: str) -> str:
    """XGBoost's logistic function: ``1 / (exp(min(-x, 88.7)) + 1)``."""
    less = graph.add("Min", [graph.add("Neg", [raw]), graph.constant(_LARGEST)])
    one = graph.constant(np.array([[1.0]], dtype=np.float32))
    return graph.add("Div", [one, graph.add("Add", [single_exponential(graph, less), one])])


def single_softmax(graph: Graph, raw: str) -> str:
    """XGBoost's softmax: float32 powers over their sum, which is added up in double precision."""
    axis = graph.constant(np.array([1]))
    top = graph.add("ReduceMax", [raw, axis], keepdims=1)
    powers = single_exponential(graph, graph.add("Sub", [raw, top]))
    whole = graph.add("ReduceSum", [graph.add("Cast", [powers], to=DOUBLE), axis], keepdims=1)
    return graph.add("Div", [powers, graph.add("Cast", [whole], to=SINGLE)])
