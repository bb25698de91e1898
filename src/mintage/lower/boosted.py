"""What scikit-learn's gradient boosting adds up: a start, and each tree's value times the learning rate.

The start is zero, what a dummy estimator learned, or a tree or a forest of the library (``init``), in the space of the
loss. The library refuses missing values here; the signature must say so of inputs that are not imputed.
"""

from __future__ import annotations

import math

import numpy as np

from mintage.lower.columns import Column, Text, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context
from mintage.lower.ensemble import part_at
from mintage.lower.float32_trees import TREE_CLASSIFIERS, TREE_REGRESSORS, Floats, float32_features, read_tree
from mintage.lower.graph import Graph
from mintage.lower.numeric import clip, numeric
from mintage.lower.trees import Tree
from mintage.lower.vector_leaves import add_vectors

__all__ = ["boosted"]

_TINY = float(np.finfo(np.float64).eps)
_DUMMIES = ("sklearn.dummy.DummyClassifier", "sklearn.dummy.DummyRegressor")
_STARTS = (
    *TREE_CLASSIFIERS,
    *TREE_REGRESSORS,
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
)


def boosted(step: Step, columns: list[Column], context: Context, *, steepness: float | None) -> tuple[str, int]:
    """The tensor [N, k] of sums, and k: one of a regressor or for two classes, else one a class.

    ``steepness`` is by how much the logistic function multiplies its sum; None for a regressor: its sum is the answer.
    """
    found = step.get("estimators_")
    if not isinstance(found, np.ndarray) or found.ndim != 2:
        step.refuse("has trees of an unknown form: this version of its library is not known")
    width, rate = found.shape[1], float(step.get("learning_rate"))
    trees = [
        _tree(step, part, f"estimators_[{stage}, {place}]", rate=rate, place=place, width=width)
        for stage, row in enumerate(found.tolist())
        for place, part in enumerate(row)
    ]
    context.refuses_missing = True
    graph, features = context.graph, float32_features(step, columns, context, trees)
    first = step.get("init_")
    start = np.zeros(width) if first == "zero" else _constant_start(first, steepness, width)
    if start is not None:
        return add_vectors(graph, trees, features, start=start), width
    inner = part_at(step, "init", first)
    if inner.type not in _STARTS:
        step.refuse(f"starts from {inner.type}; it has an exact lowering with init=None, 'zero', a tree or a forest")
    seen = numbers([column.source for column in numeric(step, columns)], features)
    given = [column for column in context.lower(inner, seen) if not isinstance(column, Text)]
    if len(given) != width:
        inner.refuse(f"gives {len(given)} columns where {width} are needed")
    raw = _linked(graph, matrix(graph, given), steepness, width)
    return graph.add("Add", [raw, add_vectors(graph, trees, features)]), width


def _tree(step: Step, part: object, name: str, *, rate: float, place: int, width: int) -> Tree:
    """A tree of the boosting, which adds to the sum at ``place``."""

    def leaf_values(values: Floats) -> Floats:
        placed = np.zeros((len(values), width))
        placed[:, place] = rate * values[:, 0, 0]
        return placed

    inner = part_at(step, name, part)
    if inner.type != TREE_REGRESSORS[0]:
        inner.refuse("is not a DecisionTreeRegressor: this version of its library is not known")
    return read_tree(inner, leaf_values)


def _constant_start(first: object, steepness: float | None, width: int) -> Floats | None:
    """What a dummy estimator starts from; None if it is another one."""
    if not isinstance(first, Step) or first.type not in _DUMMIES:
        return None
    if steepness is None:
        return first.numbers("constant_").ravel()
    if first.get("strategy") != "prior":
        first.refuse(f"with strategy={first.get('strategy')!r} has no exact lowering as init; 'prior' has")
    shares = np.clip(first.numbers("class_prior_").ravel(), _TINY, 1.0 - _TINY)
    if width == 1:
        share = float(shares[-1])
        return np.array([math.log(share / (1.0 - share)) / steepness])
    centred: Floats = np.log(shares / np.exp(np.mean(np.log(shares))))
    return centred


def _linked(graph: Graph, tensor: str, steepness: float | None, width: int) -> str:
    """Answers of an estimator [N, k] in the space of the loss."""
    if steepness is None:
        return tensor

    def number(value: float) -> str:
        return graph.constant(np.array([[value]]))

    share = clip(graph, tensor, np.array([[_TINY]]), np.array([[1.0 - _TINY]]))
    if width == 1:
        odds = graph.add("Div", [share, graph.add("Sub", [number(1.0), share])])
        return graph.add("Div", [graph.add("Log", [odds]), number(steepness)])
    axis = graph.constant(np.array([1]))
    total = graph.add("ReduceSum", [graph.add("Log", [share]), axis], keepdims=1)
    centre = graph.add("Exp", [graph.add("Div", [total, number(float(width))])])
    return graph.add("Log", [graph.add("Div", [share, centre])])
