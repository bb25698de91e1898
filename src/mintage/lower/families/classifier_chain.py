"""ClassifierChain: a classifier of two classes a target, each also on what those before it answered.

That is their label, their probability or their decision function, as ``chain_method`` says.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import decision, part_at, probability
from mintage.lower.shares import number

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    order = np.asarray(step.get("order_"), dtype=np.int64).tolist()
    method = step.state.get("chain_method_", "predict")
    found: dict[int, Column] = {}
    before: list[Column] = []
    for place, part in zip(order, step.get("estimators_"), strict=True):
        name, taken = f"target {place}", [*columns, *before]
        inner = part_at(step, name, part)
        classes = inner.state.get("classes_")
        if isinstance(classes, np.ndarray) and (len(classes) != 2 or classes.dtype.kind not in "biuf"):
            inner.refuse("has other classes than two numbers, which has no exact lowering")
        tensor = probability(step, name, part, taken, context)
        found[place] = Number("", tensor, 0, 1)
        if method == "predict_proba":
            given = tensor
        elif method == "decision_function":
            given = decision(step, name, part, taken, context)
        elif method == "predict" and isinstance(classes, np.ndarray):
            given = _label(context, tensor, *classes.astype(np.float64).tolist())
        else:
            step.refuse(f"with chain_method={method!r} has no exact lowering")
        before.append(Number(columns[0].source, given, 0, 1))
    return [found[place] for place in range(len(order))]


def _label(context: Context, tensor: str, first: float, second: float) -> str:
    graph = context.graph
    above = graph.add("Greater", [tensor, number(graph, 0.5)])
    return graph.add("Where", [above, number(graph, second), number(graph, first)])


FAMILY = Family(types=("sklearn.multioutput.ClassifierChain",), role="classifier", lower=_lower)
