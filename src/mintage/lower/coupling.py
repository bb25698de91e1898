"""Probabilities of K classes from those of each pair, as libsvm couples them, stopping rule and all.

The method is the second one of Wu, Lin and Weng, "Probability estimates for multi-class classification by pairwise
coupling" (2004): sweeps over the classes until no error is above 0.005 / K. libsvm stops early, so its answer depends
on the number of sweeps, also with two classes. It allows a hundred. Over random and extreme pairs of 2 to 20 classes
it takes four at most, and two with two classes; more are written, each of which leaves finished rows alone.
"""

from __future__ import annotations

import numpy as np

from mintage.lower.graph import Graph

__all__ = ["couple"]

SWEEPS = 8
TWO_CLASS_SWEEPS = 3


def couple(graph: Graph, pairs: list[str], classes: int) -> str:
    """[N, classes] from ``pairs`` [N, 1], the probabilities of the first of (0, 1), (0, 2), ..., (1, 2), ...."""
    coupling = _Coupling(graph, classes)
    rows = coupling.rows(pairs)
    # The shape of the first guess, 1 / K, is taken from a row-dependent tensor.
    first = graph.add("Mul", [rows[0], coupling.number(0.0)])
    shares = graph.add("Add", [first, coupling.number(1.0 / classes)])
    for _ in range(TWO_CLASS_SWEEPS if classes == 2 else SWEEPS):
        shares = coupling.sweep(rows, shares)
    return shares


class _Coupling:
    """Writes the sweeps; ``rows`` are those of the matrix Q, each [N, classes]."""

    def __init__(self, graph: Graph, classes: int) -> None:
        self.graph, self.classes = graph, classes

    def number(self, value: float) -> str:
        return self.graph.constant(np.array([[value]]))

    def two(self, operator: str, one: str, other: str) -> str:
        return self.graph.add(operator, [one, other])

    def total(self, tensor: str, operator: str = "ReduceSum") -> str:
        return self.graph.add(operator, [tensor, self.graph.constant(np.array([1]))], keepdims=1)

    def column(self, tensor: str, place: int) -> str:
        return self.graph.add("Gather", [tensor, self.graph.constant(np.array([place]))], axis=1)

    def rows(self, pairs: list[str]) -> list[str]:
        """Q: on the diagonal the sum of squares of the others' probabilities, else minus the product of both."""
        shares: dict[tuple[int, int], str] = {}
        order = [(i, j) for i in range(self.classes) for j in range(i + 1, self.classes)]
        for (i, j), pair in zip(order, pairs, strict=True):
            shares[i, j], shares[j, i] = pair, self.two("Sub", self.number(1.0), pair)
        found = []
        for t in range(self.classes):
            others = [j for j in range(self.classes) if j != t]
            squares = [self.two("Mul", shares[j, t], shares[j, t]) for j in others]
            diagonal = squares[0]
            for square in squares[1:]:
                diagonal = self.two("Add", diagonal, square)
            cells = {j: self.graph.add("Neg", [self.two("Mul", shares[j, t], shares[t, j])]) for j in others}
            found.append(self.graph.concat([diagonal if j == t else cells[j] for j in range(self.classes)]))
        return found

    def sweep(self, rows: list[str], shares: str) -> str:
        """One round over the classes; rows whose error is below the bound stay as they are."""
        gradient = self.graph.concat([self.total(self.two("Mul", row, shares)) for row in rows])
        level = self.total(self.two("Mul", shares, gradient))
        error = self.total(self.graph.add("Abs", [self.two("Sub", gradient, level)]), "ReduceMax")
        finished = self.two("Less", error, self.number(0.005 / self.classes))
        moved = shares
        for t in range(self.classes):
            moved, gradient, level = self._step(rows[t], t, moved, gradient, level)
        return self.graph.add("Where", [finished, shares, moved])

    def _step(self, row: str, t: int, shares: str, gradient: str, level: str) -> tuple[str, str, str]:
        two, diagonal, mine = self.two, self.column(row, t), self.column(gradient, t)
        change = two("Div", two("Sub", level, mine), diagonal)
        scale = two("Add", self.number(1.0), change)
        unit = self.graph.constant(np.eye(self.classes)[t].reshape(1, -1))
        shares = two("Div", two("Add", shares, two("Mul", change, unit)), scale)
        bend = two("Add", two("Mul", change, diagonal), two("Mul", self.number(2.0), mine))
        level = two("Div", two("Div", two("Add", level, two("Mul", change, bend)), scale), scale)
        gradient = two("Div", two("Add", gradient, two("Mul", change, row)), scale)
        return shares, gradient, level
