"""Which rows a value has: those of a part that ``train_test_split`` made, by sameness, by columns or by rows.

A part is one side of a split: the arrays that the caller got, held by reference, each with a glimpse that shows
whether it was changed in place since. What a fitted transformer made of a part is remembered with the fits that it
went through.

``Known.of`` answers, best first: the very object; one with the same columns in the same order of rows (a copy,
``.values``, a choice of columns); one whose rows all are rows of a part (a fold, a sample); rows chosen from a table
that is known (``slices``).
"""

from __future__ import annotations

import sys
from typing import Any

from .columns import Columns, columns_of, glimpse, hash_rows
from .slices import Slice, Slices, match

__all__ = ["Known", "Origin", "Part"]


class Part:
    """One side of a split; ``id`` is the split's with t (train) or r (rest)."""

    def __init__(self, name: str, arrays: list[Any]) -> None:
        self.id = name
        self.arrays = arrays
        self.glimpses = [glimpse(array) for array in arrays]
        self._columns: list[Columns | None] = [None] * len(arrays)
        self._sorted: dict[Any, Any] = {}

    def columns(self, place: int) -> Columns | None:
        """The columns of one of its arrays."""
        if self._columns[place] is None:
            self._columns[place] = columns_of(self.arrays[place])
        return self._columns[place]

    def changed(self, place: int) -> bool:
        """Whether that array was changed in place since the split."""
        return bool(glimpse(self.arrays[place]) != self.glimpses[place])

    def holds_rows(self, places: list[Any], asked: list[Any]) -> bool:
        """Whether every row of the columns ``asked`` is one of its own, at the (array, column) ``places``."""
        numpy, key = sys.modules["numpy"], tuple(places)
        if key not in self._sorted:
            own = [self.columns(place) for place, _ in places]
            self._sorted[key] = numpy.sort(hash_rows([each.values[i] for each, (_, i) in zip(own, places) if each]))
        known, rows = self._sorted[key], hash_rows(asked)
        if not len(known) or not len(rows):
            return False
        found = numpy.minimum(numpy.searchsorted(known, rows), len(known) - 1)
        return bool((known[found] == rows).all())


class Origin:
    """Where a value's rows come from: the part, the fits that it went through (``via``), how that is known, and for
    each of its columns the (array, column) of the part."""

    def __init__(self, part: Part | Slice | None, how: str, *, via: tuple[int, ...] = (), places: Any = ()) -> None:
        self.part = part
        self.how = how
        self.via = via
        self.places = list(places)

    def said(self) -> dict[str, Any]:
        """As JSON."""
        return {"part": self.part and self.part.id, "how": self.how, "via": list(self.via), "places": self.places}


class Known:
    """All parts, and what transformers made of them."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.derived: list[tuple[Origin, Any, Any]] = []
        self.slices = Slices()

    def derive(self, origin: Origin, fit: int, made: Any) -> None:
        """``made`` is what the fit numbered ``fit`` made of a value of that origin."""
        if origin.part is not None and columns_of(made) is not None:
            self.derived.append((Origin(origin.part, origin.how, via=(*origin.via, fit)), made, glimpse(made)))

    def resample(self, origin: Origin, made: Any) -> None:
        """``made`` is a choice of rows of that origin, repeated or varied, such as oversampling makes."""
        if origin.part is not None and columns_of(made) is not None:
            known = Origin(origin.part, "resampled", via=origin.via, places=origin.places)
            self.derived.append((known, made, glimpse(made)))

    def of(self, value: Any) -> Origin:
        """The origin of ``value``; its part is None where none is known."""
        for known, made, seen in reversed(self.derived):
            if made is value:
                return known if glimpse(value) == seen else Origin(known.part, "changed")
        for part in reversed(self.parts):
            for place, array in enumerate(part.arrays):
                if array is value:
                    return self._very(part, place)
        columns = columns_of(value)
        if columns is None or not columns.rows:
            return Origin(None, "unknown" if columns is not None else "unreadable")
        return (
            self._by_columns(columns)
            or self._by_rows(columns)
            or self._chosen(value, columns)
            or Origin(None, "unknown")
        )

    def fitted_on(self, value: Any, sight: list[Any]) -> Origin:
        """The origin of rows that are learnt from; ``sight`` are the tables that they may have been chosen from."""
        origin, columns = self.of(value), columns_of(value)
        if columns is None or columns.rows < 2:
            return origin
        if origin.part is None:
            self.slices.look(value, columns, sight)
            origin = self._chosen(value, columns) or origin
        if isinstance(origin.part, Slice):
            self.slices.see(columns.rows, sight)
        return origin

    def _chosen(self, value: Any, columns: Columns) -> Origin | None:
        found = self.slices.of(value, columns)
        return None if found is None else Origin(found[0], "columns", places=found[1])

    def _very(self, part: Part, place: int) -> Origin:
        if part.changed(place):
            return Origin(part, "changed")
        columns = part.columns(place)
        return Origin(part, "same", places=[(place, i) for i in range(len(columns.values) if columns else 0)])

    def _by_columns(self, columns: Columns) -> Origin | None:
        known: Origin
        for known, made, _ in reversed(self.derived):
            other = columns_of(made)
            if other is not None and other.rows == columns.rows and other.digests() == columns.digests():
                return known
        for part in reversed(self.parts):
            there: dict[str, list[Any]] = {}
            for place in range(len(part.arrays)):
                own = part.columns(place)
                if own is not None and own.rows == columns.rows:
                    for i, digest in enumerate(own.digests()):
                        there.setdefault(digest, []).append((own.names[i], (place, i)))
            if there and all(digest in there for digest in columns.digests()):
                places = [_named(there[digest], name) for digest, name in zip(columns.digests(), columns.names)]
                return Origin(part, "columns", places=places)
        return None

    def _by_rows(self, columns: Columns) -> Origin | None:
        for part in reversed(self.parts):
            for place in range(len(part.arrays)):
                own = part.columns(place)
                mine = None if own is None or own.rows < columns.rows else match(own.names, columns.names)
                places = [(place, i) for i in mine or ()]
                if len(places) > 1 and part.holds_rows(places, columns.values):
                    return Origin(part, "rows", places=places)
        return None

    def labels(self, rows: Origin, data: Any, labels: Any, sight: list[Any]) -> Origin:
        """The origin of ``labels`` that go with ``data``, whose rows are of the origin ``rows``.

        Labels repeat, so that those of a fold are known only together with their rows.
        """
        part, columns, asked = rows.part, columns_of(data), columns_of(labels)
        if isinstance(part, Slice):
            known = self.of(labels)
            if known.part is part and known.how == "resampled":
                return known
            places = None if asked is None else self.slices.labels(part, rows.places, asked, sight)
            return Origin(None, "unknown") if places is None else Origin(part, "columns", places=places)
        if part is None or rows.how != "rows" or columns is None or asked is None:
            return self.of(labels)
        for place in range(len(part.arrays)):
            own = part.columns(place)
            for i in range(len(own.values) if own is not None and len(asked.values) == 1 else 0):
                if (place, i) not in rows.places and part.holds_rows(
                    [*rows.places, (place, i)], [*columns.values, asked.values[0]]
                ):
                    return Origin(part, "rows", places=[(place, i)])
        return Origin(None, "unknown")


def _named(among: list[Any], name: str | None) -> Any:
    """Of columns with equal values the one of that name, else the first."""
    return next((place for label, place in among if label == name), among[0][1])
