"""SVC, NuSVC, SVR and NuSVR: sums of kernels in double precision, and libsvm's own way to probabilities.

A classifier without ``probability`` has a decision function only, for those that calibrate it. The label follows the
probabilities, and so may the library's differ, which votes: docs/spec/estimator-description.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.coupling import couple
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph
from mintage.lower.kernels import kernel
from mintage.lower.numeric import numeric

__all__ = ["FAMILY", "lower_support_vectors"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_LEAST = 1e-7
_MOST_ROUNDING = 1e-11
_REGRESSORS = ("SVR", "NuSVR")
_UNBOUNDED = ("linear", "poly")
"""Far from the training rows such kernels are much larger than their weighted sum, whose digits the library loses."""


def lower_support_vectors(step: Step, columns: list[Column], context: Context) -> list[Column]:
    """Of a classifier or a regressor; see the module's text."""
    graph, taken = context.graph, numeric(step, columns)
    vectors, weights, shifts = _fitted(step, len(taken))
    sums = graph.add("MatMul", [kernel(step, graph, matrix(graph, taken), vectors), graph.constant(weights)])
    sums = graph.add("Add", [sums, graph.constant(shifts.reshape(1, -1))])
    _note_overflow(sums, columns, context)
    if _loses_digits(step, weights):
        context.rounds = "libsvm"
    if step.short in _REGRESSORS:
        return numbers([""], sums)
    classes = len(step.get("classes_"))
    decision = graph.add("Neg", [sums]) if classes == 2 else _one_against_rest(graph, sums, classes)
    first, second = step.numbers("_probA"), step.numbers("_probB")
    if not len(first):
        return numbers([""] * (1 if classes == 2 else classes), _noted(context, decision, decision))
    pairs = _pair_probabilities(graph, sums, first, second)
    shares = couple(graph, pairs, classes)
    if classes == 2:
        shares = graph.add("Gather", [shares, graph.constant(np.array([1]))], axis=1)
    if classes == 2 or step.get("decision_function_shape") == "ovr":
        _noted(context, shares, decision)
    return numbers([""] * (1 if classes == 2 else classes), shares)


def _loses_digits(step: Step, weights: Floats) -> bool:
    """Whether the library's own sum may be off by more than the tolerance: many large terms of both signs.

    A bounded kernel is at most 1, so a sum is off by the weights' sizes times the last bit, and Platt's slope
    multiplies it.
    """
    if step.get("kernel") in _UNBOUNDED:
        return step.short in _REGRESSORS
    slope = np.abs(step.numbers("_probA")).max(initial=1.0)
    return bool(np.abs(weights).sum(axis=0).max() * slope * np.finfo(np.float64).eps > _MOST_ROUNDING)


def _note_overflow(sums: str, columns: list[Column], context: Context) -> None:
    """Numbers that make a kernel infinite are outside of the inputs' limits."""
    graph = context.graph
    size = graph.add("ReduceSum", [graph.add("Abs", [sums]), graph.constant(np.array([1]))], keepdims=1)
    endless = graph.constant(np.array([[np.inf]]))
    context.note_finite(graph.add("Where", [graph.add("IsNaN", [size]), endless, size]), columns)


def _noted(context: Context, tensor: str, decision: str) -> str:
    context.decisions[tensor] = decision
    return tensor


def _fitted(step: Step, width: int) -> tuple[Floats, Floats, Floats]:
    """Support vectors [n, k], their weights [n, pairs of classes] and what is added to each sum [pairs]."""
    vectors, dual, shifts = (step.numbers(name) for name in ("support_vectors_", "_dual_coef_", "_intercept_"))
    if vectors.ndim != 2 or vectors.shape[1] != width or not len(vectors):
        step.refuse(f"was fitted on other columns than the {width} that it gets, or has no support vectors")
    if step.short in _REGRESSORS:
        return vectors, np.ascontiguousarray(dual.T), shifts
    counts = step.numbers("_n_support").astype(np.int64).tolist()
    classes = len(counts)
    ends = np.cumsum(counts)
    if dual.shape != (classes - 1, len(vectors)) or ends[-1] != len(vectors) or classes != len(step.get("classes_")):
        step.refuse("has weights of an unknown form: this version of its library is not known")
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    weights = np.zeros((len(vectors), len(pairs)))
    for place, (i, j) in enumerate(pairs):
        mine, theirs = (slice(ends[at] - counts[at], ends[at]) for at in (i, j))
        weights[mine, place] = dual[j - 1, mine]
        weights[theirs, place] = dual[i, theirs]
    return vectors, weights, shifts


def _pair_probabilities(graph: Graph, sums: str, first: Floats, second: Floats) -> list[str]:
    """Of each pair the probability of its first class: Platt's sigmoid, kept off 0 and 1."""
    line = graph.add("Mul", [sums, graph.constant(first.reshape(1, -1))])
    line = graph.add("Add", [line, graph.constant(second.reshape(1, -1))])
    share = graph.add("Sigmoid", [graph.add("Neg", [line])])
    least, most = (graph.constant(np.array([[value]])) for value in (_LEAST, 1.0 - _LEAST))
    share = graph.add("Where", [graph.add("Greater", [share, least]), share, least])  # of a NaN too, as libsvm does
    share = graph.add("Where", [graph.add("Less", [share, most]), share, most])
    places = (graph.constant(np.array([place])) for place in range(len(first)))
    return [graph.add("Gather", [share, place], axis=1) for place in places]


def _one_against_rest(graph: Graph, sums: str, classes: int) -> str:
    """Votes of the pairs, and to break ties what is left of their sums: the decision function of shape ``ovr``."""
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    signs = np.zeros((len(pairs), classes))
    for place, (i, j) in enumerate(pairs):
        signs[place, i], signs[place, j] = 1.0, -1.0
    lost = graph.add("Cast", [graph.add("Less", [sums, graph.constant(np.array([[0.0]]))])], to=11)
    votes = graph.add("MatMul", [lost, graph.constant(-signs)])
    votes = graph.add("Add", [votes, graph.constant((signs > 0).sum(axis=0, dtype=np.float64).reshape(1, -1))])
    total = graph.add("MatMul", [sums, graph.constant(signs)])
    one, three = (graph.constant(np.array([[value]])) for value in (1.0, 3.0))
    bound = graph.add("Mul", [three, graph.add("Add", [graph.add("Abs", [total]), one])])
    return graph.add("Add", [votes, graph.add("Div", [total, bound])])


FAMILY = Family(
    types=tuple(f"sklearn.svm._classes.{name}" for name in ("SVC", "NuSVC")),
    role="classifier",
    lower=lower_support_vectors,
)
