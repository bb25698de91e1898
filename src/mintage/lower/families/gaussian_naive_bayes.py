"""GaussianNB: of each class the logarithm of its prior and of each column's normal density, then a softmax."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import numeric
from mintage.lower.shares import number, row_sum
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    means, variances, priors = (step.numbers(name) for name in ("theta_", "var_", "class_prior_"))
    if means.shape != (len(priors), len(columns)) or variances.shape != means.shape:
        step.refuse(f"was fitted on other columns than the {len(columns)} that it gets")
    tensor = matrix(graph, numeric(step, columns))
    logarithms = []
    for mean, variance, prior in zip(means, variances, priors, strict=True):
        distance = graph.add("Sub", [tensor, graph.constant(mean.reshape(1, -1))])
        square = graph.add("Div", [graph.add("Mul", [distance, distance]), graph.constant(variance.reshape(1, -1))])
        half = graph.add("Mul", [number(graph, 0.5), row_sum(graph, square)])
        density = graph.add("Sub", [number(graph, float(-0.5 * np.sum(np.log(2.0 * np.pi * variance)))), half])
        logarithms.append(graph.add("Add", [number(graph, float(np.log(prior))), density]))
    found = softmax(graph, graph.concat(logarithms))
    if len(priors) == 2:
        return [Number("", found, 1, 2)]
    return numbers([""] * len(priors), found)


FAMILY = Family(types=("sklearn.naive_bayes.GaussianNB",), role="classifier", lower=_lower)
