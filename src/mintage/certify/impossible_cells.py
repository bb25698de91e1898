"""Which combinations of levels cannot occur, by the model file's ``impossible:``: for a count of the domain's cells.

A condition takes a cell out if it names no other columns than the cell has, and is true of all that the levels hold
within the declared ranges. One that cuts through a cell leaves it; one of more columns than a cell has is ``unjudged``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mintage.certify.impossible import Numbers, Texts, always
from mintage.certify.levels import Levels
from mintage.repo.condition import Condition

__all__ = ["ImpossibleCells"]


class ImpossibleCells:
    """Called with the places of some columns: which of their cells cannot occur; None if none is known to."""

    def __init__(self, conditions: Sequence[Condition], levels: Sequence[Levels], *, ways: int) -> None:
        self.levels = levels
        names = {one.name for one in levels}
        self.judged = [one for one in conditions if len(one.columns) <= ways and names.issuperset(one.columns)]
        self.unjudged = [one.text for one in conditions if one not in self.judged]

    def __call__(self, chosen: Sequence[int]) -> NDArray[np.bool_] | None:
        columns = {self.levels[place].name: self.levels[place] for place in chosen}
        conditions = [one for one in self.judged if columns.keys() >= set(one.columns)]
        if not conditions:
            return None
        shape = tuple(self.levels[place].domain for place in chosen)
        places = dict(zip(columns, np.indices(shape).reshape(len(shape), -1), strict=True))
        found = np.zeros(len(next(iter(places.values()))), dtype=bool)
        for condition in conditions:
            found |= always(condition, {name: _taken(columns[name].cells, places[name]) for name in condition.columns})
        return found.reshape(shape)


def _taken(cells: Numbers | Texts, places: NDArray[np.intp]) -> Numbers | Texts:
    if isinstance(cells, Texts):
        return Texts(cells.values[places], cells.null[places], cells.never)
    return Numbers(cells.low[places], cells.high[places], cells.null[places])
