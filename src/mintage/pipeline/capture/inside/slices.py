"""Rows that the program chose out of one table by other means than ``train_test_split``: slices, samples, indices.

A table that a fit's rows were chosen from is looked for among the variables of the program's own functions, the longest
first. It is the one if each row of the fit is, value for value, one of its rows: by the labels of a pandas index, or by
rows of which the table has no second one. From then on rows are known by their places in it (``Slice``).

``rest_of`` says which other slice has all the rows that a fit left: only such a pair is as good as a split.
"""

from __future__ import annotations

import sys
from typing import Any

from .columns import Columns, columns_of, glimpse, hash_rows, keys_of, room_of

__all__ = ["Slice", "Slices", "Whole", "match"]

_MOST_WHOLES = 10
_MOST_SLICES = 500
_MOST_LOOKED_AT = 30


class Slice:
    """Rows of a table by their places, in the order that they were met; ``id`` is s and a number."""

    def __init__(self, name: str, whole: Whole, rows: Any) -> None:
        self.id = name
        self.whole = whole
        self.rows = rows


class Whole:
    """A table that rows are chosen from, first of ``arrays``; the others have its labels, row by row."""

    def __init__(self, table: Any) -> None:
        self.arrays = [_held(table)]
        self.glimpses = [glimpse(self.arrays[0])]
        self.columns = [columns_of(self.arrays[0])]
        self._sorted: dict[Any, Any] = {}

    def add(self, labels: Any) -> int:
        """Keep ``labels`` too; returns their place."""
        self.arrays.append(_held(labels))
        self.glimpses.append(glimpse(self.arrays[-1]))
        self.columns.append(columns_of(self.arrays[-1]))
        return len(self.arrays) - 1

    def changed(self) -> bool:
        """Whether one of its arrays was changed in place since."""
        return any(glimpse(array) != seen for array, seen in zip(self.arrays, self.glimpses))

    def find(self, value: Any, asked: Columns) -> Any:
        """The places of the rows of ``value``, and which of its own columns they have; None if not all are known."""
        own = self.columns[0]
        places = None if own is None else match(own.names, asked.names)
        if own is None or not places:
            return None
        rows = self._by_index(value)
        if rows is None or not _equal([own.values[i] for i in places], rows, asked.values):
            rows = self._by_rows(places, own, asked)
        return None if rows is None else (rows, [(0, i) for i in places])

    def _by_index(self, value: Any) -> Any:
        table = self.arrays[0]
        if room_of(table) != "pandas" or room_of(value) != "pandas" or not table.index.is_unique:
            return None
        rows = table.index.get_indexer(value.index)
        return rows if len(rows) and (rows >= 0).all() else None

    def _by_rows(self, places: list[int], own: Columns, asked: Columns) -> Any:
        numpy, key = sys.modules["numpy"], tuple(places)
        if len(places) < 2:
            return None
        if key not in self._sorted:
            hashed = hash_rows([own.values[i] for i in places])
            order = numpy.argsort(hashed, kind="stable")
            self._sorted[key] = (order, hashed[order])
        order, known = self._sorted[key]
        rows = hash_rows(asked.values)
        first = numpy.searchsorted(known, rows, side="left")
        if not (numpy.searchsorted(known, rows, side="right") == first + 1).all():
            return None  # not there, or there more than once, so that it may have been left as well as taken
        return order[first]

    def answering(self, rows: Any, asked: Columns, *, but: Any) -> Any:
        """The (array, column) of each column of ``asked`` among its own at ``rows``, apart from ``but``; or None."""
        found = []
        for name, value in zip(asked.names, asked.values):
            there = [
                (columns.names[i], (place, i))
                for place, columns in enumerate(self.columns)
                for i in range(len(columns.values) if columns else 0)
                if columns and (place, i) not in but and _equal([columns.values[i]], rows, [value])
            ]
            if not there:
                return None
            found.append(next((place for label, place in there if label == name), there[0][1]))
        return found


class Slices:
    """All tables that rows were chosen from, and the choices."""

    def __init__(self) -> None:
        self.wholes: list[Whole] = []
        self.slices: list[Slice] = []
        self.tables: list[Slice] = []
        self._seen: set[int] = set()

    def of(self, value: Any, columns: Columns) -> Any:
        """The slice that ``value`` is, and its columns' places; None if it is none of a table that is known."""
        for whole in reversed(self.wholes):
            found = whole.find(value, columns)
            if found is not None:
                same = [s for s in self.slices if s.whole is whole and _same(s.rows, found[0])]
                if not same and len(self.slices) < _MOST_SLICES:
                    same = [Slice(f"s{len(self.slices)}", whole, found[0])]
                    self.slices += same
                return (same[0], found[1]) if same else None
        return None

    def look(self, value: Any, columns: Columns, sight: list[Any]) -> None:
        """Look in ``sight``, the program's variables, for a longer table that ``value`` was chosen from."""
        longer = [
            (each, found) for each in sight for found in [columns_of(each)] if found and found.rows > columns.rows
        ]
        longer.sort(key=lambda each: (-each[1].rows, -len(each[1].values)))
        for table, _ in longer[:_MOST_LOOKED_AT] if len(self.wholes) < _MOST_WHOLES else []:
            whole = Whole(table)
            if whole.find(value, columns) is not None:
                self.wholes.append(whole)
                return

    def see(self, rows: int, sight: list[Any]) -> None:
        """Note which tables in sight, longer than ``rows``, are choices of rows themselves: what a clean-up left."""
        for each in [table for table in sight if id(table) not in self._seen][:_MOST_LOOKED_AT]:
            columns = columns_of(each)
            self._seen.add(id(each))
            found = self.of(each, columns) if columns is not None and columns.rows > rows else None
            if found is not None:
                self.tables.append(found[0])

    def labels(self, part: Slice, places: Any, labels: Columns, sight: list[Any]) -> Any:
        """The (array, column) of each of the labels of ``part``, in its table or one as long; None if unknown."""
        found = part.whole.answering(part.rows, labels, but=places)
        if found is not None:
            return found
        for each in sight:
            columns = columns_of(each)
            if columns is not None and columns.rows == part.whole.columns[0].rows:  # type: ignore[union-attr]
                values = [columns.values[0]] if len(columns.values) == 1 else columns.values[: len(labels.values)]
                if len(values) == len(labels.values) and _equal(values, part.rows, labels.values):
                    place = part.whole.add(each)
                    return [(place, i) for i in range(len(values))]
        return None


def rest_of(part: Slice, asked: list[Slice], tables: list[Slice]) -> Slice | None:
    """Of the slices ``asked`` the one that has each row of the table that ``part`` has not, once, and no other.

    The table is the whole one or one of ``tables``.
    """
    numpy, table = sys.modules["numpy"], part.whole.columns[0]
    if table is None or part.whole.changed():
        return None
    smaller = [each.rows for each in tables if within(part, each)]
    for rows in (numpy.arange(table.rows), *smaller):
        left = numpy.setdiff1d(rows, part.rows)
        for other in asked:
            if other.whole is part.whole and len(left) and _same(numpy.sort(other.rows), left):
                return other
    return None


def within(part: Slice, other: Slice) -> bool:
    """Whether all rows of ``part`` are rows of ``other``."""
    return part.whole is other.whole and bool(sys.modules["numpy"].isin(part.rows, other.rows).all())


def take(array: Any, rows: Any) -> Any:
    """The rows of a table at those places."""
    if room_of(array) == "pandas":
        return array.iloc[rows]
    if isinstance(array, (list, tuple)):
        return sys.modules["numpy"].asarray(array)[rows]
    return array[rows]


def match(own: list[str | None], asked: list[str | None]) -> list[int] | None:
    """The places among the columns ``own`` of those ``asked``: by name, else all in their order."""
    if all(name is not None and name in own for name in asked):
        return [own.index(name) for name in asked]
    return list(range(len(own))) if len(own) == len(asked) else None


def _held(table: Any) -> Any:
    """The table as it is now: columns that a frame gets later are none of it."""
    return table.copy(deep=False) if room_of(table) == "pandas" else table


def _equal(own: list[Any], rows: Any, asked: list[Any]) -> bool:
    return len(own) == len(asked) and all(
        len(rows) == len(theirs) and _same(keys_of(take(mine, rows)), keys_of(theirs))
        for mine, theirs in zip(own, asked)
    )


def _same(one: Any, other: Any) -> bool:
    return bool(sys.modules["numpy"].array_equal(one, other))
