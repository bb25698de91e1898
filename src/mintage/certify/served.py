"""Ask the model, as it is served, about rows that no split has. No row is computed twice.

``ask`` remembers each row by the digest of its values: rows that a check repeats, or that another asked before, cost
nothing. ``ask_anew`` computes all of them in one batch, for checks that compare one computation with another. Columns
are those of a split: float64 with NaN for missing, objects of str and None.

>>> double = Served(lambda columns: Answers(task="regression", values=2 * columns["a"]))
>>> double.ask({"a": np.array([1.0, 2.0, 1.0])}).values.tolist()
[2.0, 4.0, 2.0]
>>> double.computed
2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers

__all__ = ["Columns", "Served"]

Columns = Mapping[str, NDArray[Any]]
_Predict = Callable[[Columns], Answers]


class Served:
    """``accepts`` says which rows are let in, by default all; ``reload`` loads the model again, by default the same;
    ``known`` gives answers that may have been computed before; ``identity`` names the model, None of one without."""

    def __init__(
        self,
        predict: _Predict,
        *,
        accepts: Callable[[Columns], NDArray[np.bool_]] | None = None,
        reload: Callable[[], _Predict] | None = None,
        known: _Predict | None = None,
        identity: str | None = None,
    ) -> None:
        self._predict, self._accepts, self._reload = predict, accepts, reload
        self._known = predict if known is None else known
        self.identity = identity
        self._places: dict[bytes, int] = {}
        self._texts: dict[str, int] = {}
        self._answers: Answers | None = None
        self.computed = 0

    def ask(self, columns: Columns) -> Answers:
        """The answers to rows; raises what the model raises for a row that it refuses."""
        keys = self._keys(columns)
        new = [place for place, key in enumerate(keys) if key not in self._places]
        first = list({keys[place]: place for place in reversed(new)}.values())[::-1]
        if first or self._answers is None:
            chosen = np.array(first, dtype=np.intp)
            found = self._known({name: column[chosen] for name, column in columns.items()})
            self.computed += len(found)
            self._keep([keys[place] for place in first], found)
        assert self._answers is not None
        return self._answers.of(self._answers.values[[self._places[key] for key in keys]])

    def ask_anew(self, columns: Columns) -> Answers:
        """The answers to rows, computed together and now."""
        found = self._predict(columns)
        self.computed += len(found)
        return found

    def ask_reloaded(self, columns: Columns) -> Answers:
        """The answers of the model loaded again."""
        return (self._predict if self._reload is None else self._reload())(columns)

    def accepts(self, columns: Columns) -> NDArray[np.bool_]:
        """Which rows the model lets in, one by one."""
        if self._accepts is None:
            return np.ones(len(next(iter(columns.values()))), dtype=bool)
        return self._accepts(columns)

    def remember(self, columns: Columns, answers: Answers) -> None:
        """Take ``answers`` for those of ``columns``: the rows of a split were asked already."""
        keys = self._keys(columns)
        first = {key: place for place, key in reversed(list(enumerate(keys))) if key not in self._places}
        self._keep(list(first), answers.of(answers.values[list(first.values())]))

    def _keep(self, keys: list[bytes], answers: Answers) -> None:
        start = len(self._places)
        self._places.update((key, start + place) for place, key in enumerate(keys))
        before = self._answers
        joined = answers.values if before is None else np.concatenate([before.values, answers.values])
        self._answers = answers.of(joined)

    def _keys(self, columns: Columns) -> list[bytes]:
        table = np.column_stack([self._codes(columns[name]) for name in sorted(columns)])
        width = table.shape[1] * table.itemsize
        data = table.tobytes()
        return [
            blake2b(data[start : start + width], digest_size=16).digest()
            for start in range(0, len(table) * width, width)
        ]

    def _codes(self, column: NDArray[Any]) -> NDArray[np.int64]:
        """The column as integers: equal for equal values, missing being equal to missing."""
        if column.dtype.kind != "O":
            numbers = column.astype(np.float64) + 0.0  # -0.0 + 0.0 is 0.0
            return np.where(np.isnan(numbers), np.nan, numbers).view(np.int64)
        texts = self._texts
        found = [-1 if value is None else texts.setdefault(value, len(texts)) for value in column.tolist()]
        return np.array(found, dtype=np.int64)
