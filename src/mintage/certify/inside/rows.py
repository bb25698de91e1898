"""What a project's own check is given: rows of a split, and what else is known of the model.

>>> rows = Rows({"a": np.array([1.0, 2.0, 3.0])}, {"labels": np.array([0, 1, 1])})
>>> some = rows.take(np.array([2, 2, 0]))
>>> len(some), some["a"].tolist(), some.labels.tolist()
(3, [3.0, 3.0, 1.0], [1, 1, 0])
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Data", "Rows"]


class Rows:
    """Rows: ``rows["income"]`` is an input; ``labels``, ``answers``, ``predicted``, ``group``, ``time`` and ``id`` are
    attributes, None where there is none. Some rows of others are looked up when asked for, so that a resample costs
    only what it reads."""

    def __init__(self, columns: Any, others: Any, places: Any = None) -> None:
        self._columns, self._others, self._places = columns, others, places

    def __len__(self) -> int:
        return len(self._others["labels"] if self._places is None else self._places)

    def __getitem__(self, name: str) -> Any:
        if name not in self._columns:
            raise KeyError(f"there is no input {name!r}, only {', '.join(sorted(self._columns))}")
        return self._of(self._columns[name])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in ("labels", "answers", "predicted", "group", "time", "id"):
            raise AttributeError(f"rows have no {name!r}: inputs are rows[{name!r}]")
        return self._of(self._others[name]) if name in self._others else None

    @property
    def columns(self) -> dict[str, Any]:
        """All inputs by name, in a new dict that may be changed; the arrays are the rows' own."""
        return {name: self._of(column) for name, column in self._columns.items()}

    def take(self, places: Any) -> Rows:
        """Some of the rows, by their places."""
        return Rows(self._columns, self._others, places if self._places is None else self._places[places])

    def _of(self, column: Any) -> Any:
        return column if self._places is None else column[self._places]


class Data:
    """What is known beside the hold-out: ``train`` and ``validation`` rows, ``task``, the names of ``classes``,
    ``threshold``, ``options`` of the policy, ``seed``; ``ask(columns)`` is the model's answers to other rows."""

    def __init__(self, job: Any, splits: Any, ask: Any) -> None:
        self.train, self.validation = splits["train"], splits.get("validation")
        self.task, self.classes, self.threshold = job["task"], tuple(job["classes"]), job["threshold"]
        self.options, self.seed, self._ask = dict(job["options"]), job["seed"], ask

    def ask(self, columns: Any) -> Any:
        """The answers to rows, as ``Rows.answers`` has them; raises ValueError if the model refuses one."""
        values, accepted = self._ask(columns)
        if not accepted.all():
            refused = np.flatnonzero(~accepted)
            raise ValueError(f"the model refuses {len(refused)} of {len(accepted)} rows, first row {refused[0]}")
        return values
