"""Fitted transformers backwards: from what they made of a target to the target itself.

A power or a function of numpy may have no finite answer backwards; that is for the caller to note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mintage.lower.columns import Number, column_tensor
from mintage.lower.description import Step
from mintage.lower.functions import apply, log1p
from mintage.lower.graph import Graph
from mintage.lower.intervals import interpolate
from mintage.lower.shares import number

__all__ = ["inverse"]

_EPSILON = float(np.spacing(1.0))


def inverse(step: Step, tensor: str, width: int, graph: Graph) -> str:
    """``inverse_transform`` of a tensor [N, ``width``]."""
    backwards = _KNOWN.get(step.type)
    if backwards is None:
        step.refuse(f"({step.type}) has no exact lowering backwards")
    return backwards(step, tensor, width, graph)


def _row(step: Step, name: str, graph: Graph) -> str:
    return graph.constant(step.numbers(name).reshape(1, -1))


def _scaled(scale: str, shift: str, flags: tuple[str, str] | None) -> Callable[[Step, str, int, Graph], str]:
    """``x * scale + shift``, each if its flag says so."""

    def backwards(step: Step, tensor: str, width: int, graph: Graph) -> str:
        if scale and (flags is None or step.get(flags[0])):
            tensor = graph.add("Mul", [tensor, _row(step, scale, graph)])
        if shift and (flags is None or step.get(flags[1])):
            tensor = graph.add("Add", [tensor, _row(step, shift, graph)])
        return tensor

    return backwards


def _min_max(step: Step, tensor: str, width: int, graph: Graph) -> str:
    shifted = graph.add("Sub", [tensor, _row(step, "min_", graph)])
    return graph.add("Div", [shifted, _row(step, "scale_", graph)])


def _function(step: Step, tensor: str, width: int, graph: Graph) -> str:
    if step.get("inverse_func") is None:
        return tensor
    if step.get("inv_kw_args") not in (None, {}):
        step.refuse("gives its function other arguments, which has no exact lowering")
    return apply(step, "inverse_func", graph, tensor)


def _uniform_quantiles(step: Step, tensor: str, width: int, graph: Graph) -> str:
    if step.get("output_distribution") != "uniform":
        step.refuse("with normal quantiles has no exact lowering backwards")
    references = step.numbers("references_")
    return graph.concat(
        [
            interpolate(graph, column_tensor(graph, Number("", tensor, place, width)), references, quantiles)
            for place, quantiles in enumerate(np.ascontiguousarray(step.numbers("quantiles_").T))
        ]
    )


def _powers(step: Step, tensor: str, width: int, graph: Graph) -> str:
    if step.get("standardize"):
        tensor = inverse(step.step("_scaler"), tensor, width, graph)
    backwards = _box_cox if step.get("method") == "box-cox" else _yeo_johnson
    return graph.concat(
        [
            backwards(graph, column_tensor(graph, Number("", tensor, place, width)), float(power))
            for place, power in enumerate(step.numbers("lambdas_").tolist())
        ]
    )


def _box_cox(graph: Graph, tensor: str, power: float) -> str:
    if power == 0.0:
        return graph.add("Exp", [tensor])
    factor = number(graph, power)
    return graph.add("Exp", [graph.add("Div", [log1p(graph, graph.add("Mul", [factor, tensor])), factor])])


def _yeo_johnson(graph: Graph, tensor: str, power: float) -> str:
    zero, one = number(graph, 0.0), number(graph, 1.0)
    negative = graph.add("Sub", [zero, tensor])
    if abs(power) < _EPSILON:
        up = graph.add("Exp", [tensor])
    else:
        base = graph.add("Add", [graph.add("Mul", [tensor, number(graph, power)]), one])
        up = graph.add("Pow", [base, number(graph, 1.0 / power)])
    if abs(power - 2.0) > _EPSILON:
        base = graph.add("Add", [graph.add("Mul", [number(graph, -(2.0 - power)), tensor]), one])
        down = graph.add("Pow", [base, number(graph, 1.0 / (2.0 - power))])
    else:
        down = graph.add("Exp", [negative])
    above = graph.add("GreaterOrEqual", [tensor, zero])
    return graph.add("Where", [above, graph.add("Sub", [up, one]), graph.add("Sub", [one, down])])


_KNOWN: Mapping[str, Callable[[Step, str, int, Graph], str]] = {
    "sklearn.preprocessing._data.StandardScaler": _scaled("scale_", "mean_", ("with_std", "with_mean")),
    "sklearn.preprocessing._data.RobustScaler": _scaled("scale_", "center_", ("with_scaling", "with_centering")),
    "sklearn.preprocessing._data.MaxAbsScaler": _scaled("scale_", "", None),
    "sklearn.preprocessing._data.MinMaxScaler": _min_max,
    "sklearn.preprocessing._data.PowerTransformer": _powers,
    "sklearn.preprocessing._data.QuantileTransformer": _uniform_quantiles,
    "sklearn.preprocessing._function_transformer.FunctionTransformer": _function,
}
