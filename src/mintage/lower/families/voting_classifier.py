"""VotingClassifier with soft voting: the mean of the classifiers' probabilities, weighted if asked for."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.ensemble import probability, total

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.get("voting") != "soft":
        step.refuse("with hard voting gives labels, but no probabilities: use voting='soft'")
    parts = step.get("estimators_")
    names = [name for name, part in step.get("estimators") if part != "drop"]
    weights = step.get("weights")
    if weights is None:
        factors = [1.0] * len(parts)
    else:
        every = np.asarray(weights, dtype=np.float64).tolist()
        factors = [weight for weight, (_, part) in zip(every, step.get("estimators"), strict=True) if part != "drop"]
    graph = context.graph
    scores = [probability(step, name, part, columns, context) for name, part in zip(names, parts, strict=True)]
    if weights is not None:
        scores = [
            graph.add("Mul", [score, graph.constant(np.array([[factor]]))])
            for score, factor in zip(scores, factors, strict=True)
        ]
    divisor = graph.constant(np.array([[float(np.sum(factors))]]))
    return [Number("", graph.add("Div", [total(graph, scores), divisor]), 0, 1)]


FAMILY = Family(types=("sklearn.ensemble._voting.VotingClassifier",), role="classifier", lower=_lower)
