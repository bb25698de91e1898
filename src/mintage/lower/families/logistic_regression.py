"""LogisticRegression with two classes, and others whose probability is the logistic function of a weighted sum."""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, Number, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.numeric import numeric

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    if step.short == "SGDClassifier" and step.get("loss") != "log_loss":
        step.refuse(f"with loss={step.get('loss')!r} has no exact lowering; 'log_loss' has")
    weights, intercept = step.numbers("coef_"), step.numbers("intercept_").ravel()
    if weights.shape != (1, len(columns)) or len(intercept) != 1:
        step.refuse("with more than two classes, or other columns than it was fitted on, has no exact lowering")
    graph = context.graph
    product = graph.add(
        "MatMul", [matrix(graph, numeric(step, columns)), graph.constant(np.ascontiguousarray(weights.T))]
    )
    raw = graph.add("Add", [product, graph.constant(intercept.reshape(1, 1))])
    return [Number("", graph.add("Sigmoid", [raw]), 0, 1)]


FAMILY = Family(
    types=(
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._logistic.LogisticRegressionCV",
        "sklearn.linear_model._stochastic_gradient.SGDClassifier",
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
    ),
    role="classifier",
    lower=_lower,
)
