"""MLPClassifier and, through ``forward``, MLPRegressor: weighted sums and activations, layer by layer, in double.

Of two classes, and of each of several labels a row may have, the one output is the probability of the positive class.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph
from mintage.lower.linear import product
from mintage.lower.numeric import numeric
from mintage.lower.shares import number
from mintage.lower.softmax import softmax

__all__ = ["FAMILY", "forward"]

_OPERATORS = {"exp": "Exp", "identity": "", "logistic": "Sigmoid", "tanh": "Tanh"}


def forward(step: Step, columns: list[Column], context: Context) -> list[Column]:
    """The last layer's activation: a column an output."""
    graph, weights, shifts = context.graph, step.get("coefs_"), step.get("intercepts_")
    if len(weights) != len(shifts) or len(weights[0]) != len(columns):
        step.refuse(f"was fitted on other columns than the {len(columns)} that it gets")
    if any(part.dtype != np.float64 for part in (*weights, *shifts)):
        step.refuse("was fitted in single precision: fit it on float64")
    tensor = matrix(graph, numeric(step, columns))
    for place, (weight, shift) in enumerate(zip(weights, shifts, strict=True)):
        tensor = graph.add("Add", [product(context, tensor, weight), graph.constant(shift.reshape(1, -1))])
        last = place == len(weights) - 1
        tensor = _activated(step, graph, tensor, str(step.get("out_activation_" if last else "activation")))
    width = len(shifts[-1])
    if str(step.get("out_activation_")) == "exp":
        context.note_finite(graph.add("ReduceMax", [tensor, graph.constant(np.array([1]))], keepdims=1), columns)
    return numbers([""] * width, tensor)


def _activated(step: Step, graph: Graph, tensor: str, kind: str) -> str:
    if kind == "relu":
        zero = number(graph, 0.0)
        return graph.add("Where", [graph.add("Less", [tensor, zero]), zero, tensor])
    if kind == "softmax":
        return softmax(graph, tensor)
    if kind not in _OPERATORS:
        step.refuse(f"with the activation {kind!r} has no exact lowering")
    return graph.add(_OPERATORS[kind], [tensor]) if kind != "identity" else tensor


FAMILY = Family(
    types=("sklearn.neural_network._multilayer_perceptron.MLPClassifier",), role="classifier", lower=forward
)
