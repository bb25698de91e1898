"""What the families of models over models ask of their parts: probabilities, decision functions, or numbers.

The parts go through the dispatch, so they are any that lower, pipelines included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mintage.lower.columns import Coded, Column, Number, Text, matrix
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.graph import Graph

__all__ = ["answers", "decision", "has_decision", "part_at", "probability", "total", "weighted_mean"]

_WITHOUT = frozenset(
    (
        "catboost.core.CatBoostClassifier",
        "lightgbm.sklearn.LGBMClassifier",
        "sklearn.calibration.CalibratedClassifierCV",
        "sklearn.dummy.DummyClassifier",
        "sklearn.ensemble._forest.ExtraTreesClassifier",
        "sklearn.ensemble._forest.RandomForestClassifier",
        "sklearn.ensemble._voting.VotingClassifier",
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.neighbors._classification.KNeighborsClassifier",
        "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
        "sklearn.tree._classes.DecisionTreeClassifier",
        "sklearn.tree._classes.ExtraTreeClassifier",
        "xgboost.sklearn.XGBClassifier",
    )
)
_BAGGING = "sklearn.ensemble._bagging.BaggingClassifier"
_LOGISTIC = frozenset(
    (
        "sklearn.ensemble._gb.GradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._weight_boosting.AdaBoostClassifier",
    )
)
_INNER = {
    "sklearn.ensemble._stacking.StackingClassifier": "final_estimator_",
    "sklearn.ensemble._stacking.StackingRegressor": "final_estimator_",
    "sklearn.frozen._frozen.FrozenEstimator": "estimator",
    "sklearn.model_selection._search.GridSearchCV": "best_estimator_",
    "sklearn.model_selection._search.RandomizedSearchCV": "best_estimator_",
}


def part_at(step: Step, name: str, part: object) -> Step:
    """A part of ``step`` with its place; refused if it is not an object of a known library."""
    if not isinstance(part, Step):
        step.at(name).refuse(f"has a part that is not from a known library ({getattr(part, 'type', part)})")
    return Step(part.type, part.state, f"{step.path}/{name}")


def answers(
    part: Step, columns: Sequence[Column], context: Context, *, role: Literal["classifier", "margin", "regressor"]
) -> list[Number | Coded]:
    """The columns that a part gives, which must be of that kind."""
    last = _last(part)
    if _role(last, context) not in (role, None):
        wanted = {"classifier": "a classifier with probabilities", "margin": "a classifier", "regressor": "a regressor"}
        last.refuse(f"is not {wanted[role]}")
    found = context.lower(part, list(columns))
    numbers = [column for column in found if not isinstance(column, Text)]
    if len(numbers) != len(found) or not numbers:
        last.refuse("does not give numbers")
    return numbers


def probability(step: Step, name: str, part: object, columns: list[Column], context: Context) -> str:
    """The probabilities that a part gives: [N, 1] of the positive class, or [N, classes] if there are more than two."""
    inner = part_at(step, name, part)
    found = answers(inner, columns, context, role="classifier")
    classes = _last(inner).state.get("classes_")
    if isinstance(classes, np.ndarray) and len(found) != (1 if len(classes) == 2 else len(classes)):
        inner.refuse("has several targets; one is expected here")
    return matrix(context.graph, found)


def decision(step: Step, name: str, part: object, columns: list[Column], context: Context) -> str:
    """The decision function of a part, or its probabilities if it is of a type without one; shaped as those are.

    Of the types in ``_LOGISTIC`` the probability is the logistic function of it, or with more classes mostly the
    softmax, so it is what that function was given.
    """
    inner = part_at(step, name, part)
    last = _last(inner)
    if _role(last, context) == "margin":
        return matrix(context.graph, answers(inner, columns, context, role="margin"))
    tensor = probability(step, name, part, columns, context)
    if tensor in context.decisions:
        return context.decisions[tensor]
    if not has_decision(inner):
        return tensor
    found = _before_link(context.graph, tensor)
    if last.type not in _LOGISTIC or found is None or last.state.get("loss") == "exponential":
        last.refuse("has a decision function that is not lowered")
    return found


def has_decision(part: Step) -> bool:
    """Whether a part has a decision function, so that ``decision`` does not give probabilities."""
    last = _last(part)
    if last.type == _BAGGING:
        return has_decision(part_at(last, "estimator_", last.get("estimator_")))
    return last.type not in _WITHOUT or last.state.get("#decides") is True


def _before_link(graph: Graph, tensor: str) -> str | None:
    """What the logistic function or the softmax was given."""
    operator, inputs = graph.made_by(tensor)
    if operator == "Sigmoid":
        return inputs[0]
    steps = []
    for expected in ("Div", "Exp", "Sub"):
        operator, inputs = graph.made_by(tensor)
        steps.append(operator == expected)
        tensor = inputs[0] if inputs else ""
    return tensor if all(steps) else None


def _role(last: Step, context: Context) -> str | None:
    """What a model is, or None of an unknown one; SGDClassifier has no probabilities with most losses."""
    if last.short == "SGDClassifier" and last.state.get("loss") not in ("log_loss", "modified_huber"):
        return "margin"
    family = context.known.get(last.type)
    return None if family is None else family.role


def _last(step: Step) -> Step:
    """The model that answers for a pipeline, or for one that wraps it."""
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


def weighted_mean(step: Step, tensors: Sequence[str], graph: Graph) -> str:
    """The mean of what the parts of a vote give, with ``weights`` of those that take part if it has any."""
    weights = step.get("weights")
    if weights is None:
        factors = [1.0] * len(tensors)
    else:
        every = np.asarray(weights, dtype=np.float64).tolist()
        factors = [weight for weight, (_, part) in zip(every, step.get("estimators"), strict=True) if part != "drop"]
        tensors = [
            graph.add("Mul", [tensor, graph.constant(np.array([[factor]]))])
            for tensor, factor in zip(tensors, factors, strict=True)
        ]
    return graph.add("Div", [total(graph, tensors), graph.constant(np.array([[float(np.sum(factors))]]))])
