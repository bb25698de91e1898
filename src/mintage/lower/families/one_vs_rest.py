"""OneVsRestClassifier: each class against the rest, their probabilities as shares of their sum.

A row to which all of them give none stays all zeros, as in the library. Where a row may have several labels, each is
a target of two classes, with the probability that it has it.
"""

from __future__ import annotations

from mintage.lower.columns import Column, Number, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import probability
from mintage.lower.shares import shares

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph, parts = context.graph, step.get("estimators_")
    places = range(len(parts))
    tensors = [probability(step, f"class {place}", parts[place], columns, context) for place in places]
    if len(tensors) == 1:
        return [Number("", tensors[0], 0, 1)]
    if str(step.step("label_binarizer_").get("y_type_")).startswith("multilabel"):
        return [Number("", tensor, 0, 1) for tensor in tensors]
    found = shares(graph, graph.concat(tensors), len(tensors), of_none=0.0)
    scores = graph.concat([context.decisions.get(tensor, tensor) for tensor in tensors])
    if all(tensor in context.decisions for tensor in tensors):
        context.decisions[found] = scores
    context.labels[found] = scores  # shares that are equal may come from scores that are not
    return numbers([""] * len(tensors), found)


FAMILY = Family(types=("sklearn.multiclass.OneVsRestClassifier",), role="classifier", lower=_lower)
