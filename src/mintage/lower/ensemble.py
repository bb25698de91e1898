"""What the families of classifiers over classifiers ask of their parts: a probability, or a decision function.

The parts go through the dispatch, so they are any that lower, pipelines included.
"""

from __future__ import annotations

from collections.abc import Sequence

from mintage.lower.columns import Column, Text, column_tensor
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.graph import Graph

__all__ = ["decision", "part_at", "probability", "total"]

_WITHOUT = frozenset(
    (
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.ensemble._bagging.BaggingClassifier",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._voting.VotingClassifier",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._classes.ExtraTreeClassifier",
    )
)
_LOGISTIC = frozenset(
    (
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        "sklearn.ensemble._gb.GradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._weight_boosting.AdaBoostClassifier",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._logistic.LogisticRegressionCV",
        "sklearn.linear_model._stochastic_gradient.SGDClassifier",
    )
)
_INNER = {
    "sklearn.ensemble._stacking.StackingClassifier": "final_estimator_",
    "sklearn.frozen._frozen.FrozenEstimator": "estimator",
}


def part_at(step: Step, name: str, part: object) -> Step:
    """A part of ``step`` with its place; refused if it is not an object of a known library."""
    if not isinstance(part, Step):
        step.at(name).refuse(f"has a part that is not from a known library ({getattr(part, 'type', part)})")
    return Step(part.type, part.state, f"{step.path}/{name}")


def probability(step: Step, name: str, part: object, columns: list[Column], context: Context) -> str:
    """The probability [N, 1] of the positive class that a part gives."""
    inner = part_at(step, name, part)
    found = context.lower(inner, list(columns))
    last = found[0] if found else None
    if len(found) != 1 or last is None or isinstance(last, Text):
        inner.refuse("is not a classifier with probabilities")
    return column_tensor(context.graph, last)


def decision(step: Step, name: str, part: object, columns: list[Column], context: Context) -> str:
    """The decision function [N, 1] of a part, or its probability if it is of a type without one.

    Of the types in ``_LOGISTIC`` the probability is the logistic function of it, so it is what that function was given.
    """
    tensor = probability(step, name, part, columns, context)
    last = _last(part_at(step, name, part))
    if last.type in _WITHOUT:
        return tensor
    operator, inputs = context.graph.made_by(tensor)
    if last.type not in _LOGISTIC or operator != "Sigmoid" or last.state.get("loss") == "exponential":
        last.refuse("has a decision function that is not lowered")
    return inputs[0]


def _last(step: Step) -> Step:
    """The classifier that answers for a pipeline, or for one that wraps it."""
    while step.type in _INNER or step.type == "sklearn.pipeline.Pipeline":
        name, inner = step.get("steps")[-1] if step.type not in _INNER else ("end", step.get(_INNER[step.type]))
        step = part_at(step, name, inner)
    return step


def total(graph: Graph, tensors: Sequence[str]) -> str:
    """Their sum, added in order."""
    found = tensors[0]
    for tensor in tensors[1:]:
        found = graph.add("Add", [found, tensor])
    return found
