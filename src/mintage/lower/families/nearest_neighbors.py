"""KNeighborsClassifier and KNeighborsRegressor: distances to every training row, and the nearest picked one by one.

Distances are computed as the library's trees do, so which rows are near is the same but where two are equally far: then
the first one counts here, and in the library whichever its search met. Where that changes an answer, the comparison
finds it and the model is not built.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mintage.lower.columns import Column, matrix, numbers
from mintage.lower.description import Step
from mintage.lower.dispatch import Context, Family
from mintage.lower.graph import Graph
from mintage.lower.kernels import squared_distances
from mintage.lower.numeric import numeric

__all__ = ["FAMILY", "lower_neighbors"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
_MOST_NEIGHBORS = 200


def lower_neighbors(step: Step, columns: list[Column], context: Context) -> list[Column]:
    """Of a classifier or a regressor; see the module's text."""
    graph, taken = context.graph, numeric(step, columns)
    rows, weights, count = step.numbers("_fit_X"), step.get("weights"), int(step.get("n_neighbors"))
    if step.get("effective_metric_") != "euclidean" or weights not in ("uniform", "distance"):
        step.refuse("with another metric than the euclidean one, or weights of yours, has no exact lowering")
    if rows.ndim != 2 or rows.shape[1] != len(taken) or not 0 < count <= min(_MOST_NEIGHBORS, len(rows)):
        step.refuse(f"was fitted on other columns than it gets, or asks for more than {_MOST_NEIGHBORS} neighbours")
    distances = squared_distances(graph, matrix(graph, taken), rows, exact=weights == "distance")
    distances = graph.add("Max", [distances, graph.constant(np.array([[0.0]]))])
    context.note_finite(_one(graph, "ReduceMin", distances), columns)
    if weights == "distance" and step.get("_fit_method") == "brute":
        context.rounds = "scikit-learn's brute-force search, which loses digits of small distances,"
    nearest = _nearest(graph, distances, len(rows), count)
    shares = None if weights == "uniform" else _shares(graph, [distance for _, distance in nearest])
    tables = _tables(step, len(rows))
    answers = [_mean(graph, table, [place for place, _ in nearest], shares) for table in tables]
    return numbers([""] * len(answers), graph.concat(answers))


def _tables(step: Step, rows: int) -> list[Floats]:
    """What each training row says: of a target, or 1 for its class; of two classes the second alone."""
    said = step.numbers("_y")
    if len(said) != rows:
        step.refuse("has not as many answers as rows: this version of its library is not known")
    if step.short == "KNeighborsRegressor":
        return list(said.reshape(rows, -1).T)
    classes = step.get("classes_")
    if not isinstance(classes, np.ndarray) or said.ndim != 1:
        step.refuse("with several targets has no exact lowering")
    wanted = (1,) if len(classes) == 2 else range(len(classes))
    return [(said == place).astype(np.float64) for place in wanted]


def _nearest(graph: Graph, distances: str, rows: int, count: int) -> list[tuple[str, str]]:
    """The places [N, 1] of the nearest rows, nearest first, and their squared distances."""
    every = graph.constant(np.arange(rows, dtype=np.int64).reshape(1, -1))
    gone = graph.constant(np.array([[-np.inf]]))
    left = graph.add("Neg", [distances])
    found = []
    for _ in range(count):
        place = graph.add("ArgMax", [left], axis=1, keepdims=1)
        found.append((place, graph.add("Neg", [_one(graph, "ReduceMax", left)])))
        left = graph.add("Where", [graph.add("Equal", [every, place]), gone, left])
    return found


def _shares(graph: Graph, squared: list[str]) -> list[str]:
    """One over the distance; where rows are at no distance at all, they alone count."""
    zero, one = (graph.constant(np.array([[value]])) for value in (0.0, 1.0))
    here = [graph.add("Equal", [distance, zero]) for distance in squared]
    any_here = here[0]  # the nearest comes first
    found = []
    for distance, at_it in zip(squared, here, strict=True):
        inverse = graph.add("Div", [one, graph.add("Sqrt", [distance])])
        found.append(graph.add("Where", [any_here, graph.add("Cast", [at_it], to=11), inverse]))
    return found


def _mean(graph: Graph, table: Floats, places: list[str], shares: list[str] | None) -> str:
    """The mean of what the neighbours say, weighted by their shares; 0 if no neighbour has any."""
    known = graph.constant(table)
    said = [graph.add("Gather", [known, place], axis=0) for place in places]
    if shares is None:
        return graph.add("Div", [_sum(graph, said), graph.constant(np.array([[float(len(said))]]))])
    total = _sum(graph, shares)
    zero, one = (graph.constant(np.array([[value]])) for value in (0.0, 1.0))
    total = graph.add("Where", [graph.add("Equal", [total, zero]), one, total])
    weighted = [graph.add("Mul", [value, share]) for value, share in zip(said, shares, strict=True)]
    return graph.add("Div", [_sum(graph, weighted), total])


def _sum(graph: Graph, tensors: list[str]) -> str:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = graph.add("Add", [total, tensor])
    return total


def _one(graph: Graph, operator: str, tensor: str) -> str:
    return graph.add(operator, [tensor, graph.constant(np.array([1]))], keepdims=1)


FAMILY = Family(
    types=("sklearn.neighbors._classification.KNeighborsClassifier",), role="classifier", lower=lower_neighbors
)
