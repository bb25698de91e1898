"""What a model answers to rows, by its task: the values that metrics and checks look at.

``binary``: [N] probabilities of the second class; ``multiclass``: [N, K] probabilities, the columns in the order of the
signature's classes; ``regression``: [N] numbers. They are checked when made. A binary label turns at ``threshold``.

>>> binary = Answers(task="binary", values=np.array([0.2, 0.7]), threshold=0.5)
>>> binary.labels.tolist()
[0, 1]
>>> Answers(task="multiclass", values=np.array([[0.2, 0.5, 0.3]])).labels.tolist()
[1]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mintage.errors import EvidenceInvalidError

__all__ = ["Answers", "Task", "check_values"]

Task = Literal["binary", "multiclass", "regression"]
_OFF_ONE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers of one model to N rows. Raises EvidenceInvalidError for what no model of the task can answer."""

    task: Task
    values: NDArray[np.float64]
    threshold: float = 0.5

    def __post_init__(self) -> None:
        check_values(self.values, self.task, what="answers")

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, kept: NDArray[np.bool_]) -> Answers:
        """The answers to some of the rows."""
        return replace(self, values=self.values[kept])

    def of(self, values: NDArray[np.float64]) -> Answers:
        """Other answers to the same rows, labelled by the same rule."""
        return replace(self, values=values)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The place of each row's class, as it is served: the first of the most probable, or that of the threshold.

        A regression has none: ValueError.
        """
        if self.task == "regression":
            raise ValueError("a regression has no labels")
        if self.task == "binary":
            return (self.values >= self.threshold).astype(np.int64)
        return np.asarray(self.values.argmax(axis=1), dtype=np.int64)


def check_values(values: NDArray[np.float64], task: Task, *, what: str, rows: int | None = None) -> None:
    """Raise EvidenceInvalidError unless ``values`` are ``rows`` answers of the task: finite numbers or probabilities.

    The probabilities of a row of a multiclass model sum to one, to a millionth.
    """
    if values.ndim != (2 if task == "multiclass" else 1):
        raise _invalid(f"{what} are not those of a {task} model", "[N, K]" if task == "multiclass" else "[N]", values)
    if rows is not None and len(values) != rows:
        raise _invalid(f"{what}: another number of rows", str(rows), str(len(values)))
    table = values if values.ndim == 2 else values[:, None]
    if task == "regression":
        _refuse(~np.isfinite(table).all(axis=1), table, f"{what}: {{}} are no numbers", "finite numbers")
        return
    inside = ((table >= 0) & (table <= 1)).all(axis=1)
    _refuse(~inside, table, f"{what}: {{}} are no probabilities", "numbers from 0 to 1")
    if task == "multiclass":
        off = np.abs(table.sum(axis=1) - 1) > _OFF_ONE
        _refuse(off, table, f"{what}: {{}} do not sum to one", "probabilities of all classes")


def _refuse(bad: Any, table: NDArray[np.float64], message: str, expected: str) -> None:
    places = np.flatnonzero(bad)
    if len(places):
        row = table[places[0]]
        found = str(row[0]) if len(row) == 1 else str(row.tolist())
        raise _invalid(message.format(f"{len(places)} of {len(table)}"), expected, f"{found} in row {places[0]}")


def _invalid(message: str, expected: str, found: str | NDArray[np.float64]) -> EvidenceInvalidError:
    return EvidenceInvalidError(
        message,
        expected=expected,
        found=found if isinstance(found, str) else str(list(found.shape)),
        hint="look at the stage that writes this data, and at models/<model>.yaml",
    )
