"""LogisticRegression and other classifiers whose probabilities follow from weighted sums of the columns.

Two classes: the logistic function. More: softmax, or each class against the rest and a share of the sum. The loss
``modified_huber`` of SGDClassifier cuts the sums off and takes them as they are.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.columns import Column, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph
from mintage.lower.linear import weighted_sums
from mintage.lower.numeric import clip
from mintage.lower.shares import number, shares
from mintage.lower.softmax import softmax

__all__ = ["FAMILY"]


def _lower(step: Step, columns: list[Column], context: Context) -> list[Column]:
    graph = context.graph
    loss = step.get("loss") if step.short == "SGDClassifier" else "log_loss"
    classes = len(step.get("classes_"))
    raw, width = weighted_sums(step, columns, context)
    if width != (1 if classes == 2 else classes):
        step.refuse(f"has weights for {width} sums and {classes} classes: this version of its library is not known")
    if loss not in ("log_loss", "modified_huber"):
        return numbers([""] * width, raw)  # no probabilities: asked for its decision function alone
    if loss == "modified_huber":
        found = _cut(graph, raw)
    elif classes == 2 and step.state.get("multi_class") == "multinomial":
        step.refuse("with two classes and multi_class='multinomial' has no exact lowering")
    elif classes == 2 or _one_against_the_rest(step):
        found = graph.add("Sigmoid", [raw])
    else:
        found = softmax(graph, raw)
    if classes > 2 and (loss == "modified_huber" or _one_against_the_rest(step)):
        found = shares(graph, found, classes)
    context.decisions[found] = raw
    context.labels[found] = raw  # probabilities that were cut off may be equal where the sums are not
    return numbers([""] * width, found)


def _one_against_the_rest(step: Step) -> bool:
    """SGDClassifier always, the others if they were asked to (which newer versions do not offer)."""
    return (
        step.short == "SGDClassifier"
        or step.state.get("multi_class") == "ovr"
        or (step.state.get("solver") == "liblinear" and step.short.startswith("Logistic"))
    )


def _cut(graph: Graph, raw: str) -> str:
    one, two = number(graph, 1.0), number(graph, 2.0)
    cut = clip(graph, raw, *(np.array([[end]]) for end in (-1.0, 1.0)))
    return graph.add("Div", [graph.add("Add", [cut, one]), two])


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
