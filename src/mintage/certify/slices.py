"""Search for weak slices: rows of one or two conditions on the inputs with more hits than rows like them.

A hit is a wrong answer. Rows like them are those of the same stratum, where the model answers about the same, so that a
slice in which the model rightly is less sure is none. One half of the rows proposes slices, the other confirms them:
what was found by looking at many is tested on rows that nobody looked at. All is counts of cells, so a thousand slices
take no time. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.stats.multiplicity import benjamini_hochberg
from mintage.stats.strata import Stratum, more_hits

__all__ = ["Coded", "Found", "Rows", "Slice", "code_columns", "confirm", "propose", "scan_size"]

_BINS, _DISTINCT, _CATEGORIES, _PAIRED = 4, 12, 8, 60
"""Parts of a column of numbers, or its values if no more; texts; columns of which pairs are made."""


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A column as the number of each row's condition, and the conditions' words."""

    name: str
    codes: NDArray[np.int64]
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Some rows: whether each is a hit, and its stratum."""

    hits: NDArray[np.bool_]
    strata: NDArray[np.int64]

    def expected(self) -> NDArray[np.float64]:
        """The share of hits in each row's stratum."""
        return np.asarray(
            (np.bincount(self.strata, weights=self.hits) / np.maximum(np.bincount(self.strata), 1))[self.strata]
        )


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One or two conditions: places of columns with a condition of each."""

    conditions: tuple[tuple[int, int], ...]

    def holds(self, columns: Sequence[Coded]) -> NDArray[np.bool_]:
        """Which rows are in it."""
        return np.asarray(np.logical_and.reduce([columns[place].codes == code for place, code in self.conditions]))

    def text(self, columns: Sequence[Coded]) -> str:
        """The conditions in words."""
        return " and ".join(columns[place].words[code] for place, code in self.conditions)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A slice on the confirming half: its rows and hits, the hits that rows like them have, its adjusted p-value."""

    slice: Slice
    rows: int
    hits: int
    expected: float
    p: float


def code_columns(columns: Mapping[str, NDArray[Any]], like: Mapping[str, NDArray[Any]]) -> list[Coded]:
    """Each column's conditions: fourths of numbers or their few values, common texts, missing; parts as in ``like``."""
    return [_code(name, columns[name], like[name]) for name in sorted(columns)]


def _code(name: str, column: NDArray[Any], like: NDArray[Any]) -> Coded:
    if column.dtype.kind == "O":
        known = [value for value in like.tolist() if value is not None]
        values, counts = np.unique(np.array(known, dtype=str), return_counts=True)
        common = values[np.argsort(-counts, kind="stable")[:_CATEGORIES]].tolist()
        places = {value: place for place, value in enumerate(common)}
        rest, missing = len(common), len(common) + 1
        codes = [missing if value is None else places.get(value, rest) for value in column.tolist()]
        words = (*(f"{name} = {value}" for value in common), f"{name} is a rarer value", f"{name} is missing")
        return Coded(name=name, codes=np.array(codes, dtype=np.int64), words=words)
    inside = like[~np.isnan(like)]
    distinct = np.unique(inside)
    if 0 < len(distinct) <= _DISTINCT:
        cuts, parts = distinct[1:], [f"{name} = {value:g}" for value in distinct]
    else:
        cuts = np.unique(np.quantile(inside, np.arange(1, _BINS) / _BINS)) if len(inside) else np.empty(0)
        parts = _parts(name, [f"{cut:.4g}" for cut in cuts])
    places_of = np.where(np.isnan(column), len(parts), np.searchsorted(cuts, column, side="right"))
    return Coded(name=name, codes=places_of.astype(np.int64), words=(*parts, f"{name} is missing"))


def _parts(name: str, cuts: Sequence[str]) -> list[str]:
    if not cuts:
        return [f"{name} is any number"]
    between = [f"{name} in [{low}, {high})" for low, high in pairwise(cuts)]
    return [f"{name} < {cuts[0]}", *between, f"{name} >= {cuts[-1]}"]


def _tables(columns: Sequence[Coded]) -> Iterator[tuple[tuple[int, ...], NDArray[np.int64], int]]:
    """Columns and pairs of columns, with each row's cell and how many cells there are."""
    for place, column in enumerate(columns):
        yield (place,), column.codes, len(column.words)
    for one, other in combinations(range(min(len(columns), _PAIRED)), 2):
        width = len(columns[other].words)
        yield (one, other), columns[one].codes * width + columns[other].codes, len(columns[one].words) * width


def scan_size(columns: Sequence[Coded]) -> int:
    """How many slices a scan looks at."""
    return sum(cells for _, _, cells in _tables(columns))


def propose(columns: Sequence[Coded], rows: Rows, *, least: int, most: int) -> list[Slice]:
    """The ``most`` slices of at least ``least`` rows that stand out most, the first first."""
    expected, hits = rows.expected(), rows.hits.astype(np.float64)
    spread = expected * (1 - expected)
    scores: list[NDArray[np.float64]] = []
    names: list[tuple[tuple[int, ...], NDArray[np.intp]]] = []
    for places, cells, count in _tables(columns):
        sizes = np.bincount(cells, minlength=count)
        over = np.bincount(cells, weights=hits - expected, minlength=count)
        width = np.sqrt(np.bincount(cells, weights=spread, minlength=count))
        kept = np.flatnonzero((sizes >= least) & (over > 0) & (width > 0))
        scores.append(over[kept] / width[kept])
        names.append((places, kept))
    flat = [(places, int(cell)) for places, kept in names for cell in kept]
    order = np.argsort(-np.concatenate([*scores, np.empty(0)]), kind="stable")[:most]
    return [_slice(columns, *flat[place]) for place in order]


def _slice(columns: Sequence[Coded], places: tuple[int, ...], cell: int) -> Slice:
    if len(places) == 1:
        return Slice(conditions=((places[0], cell),))
    width = len(columns[places[1]].words)
    return Slice(conditions=((places[0], cell // width), (places[1], cell % width)))


def confirm(columns: Sequence[Coded], rows: Rows, slices: Sequence[Slice]) -> list[Found]:
    """The slices on other rows, each by the exact test; the p-values are corrected for how many there are."""
    expected = rows.expected()
    sizes, hits = np.bincount(rows.strata), np.bincount(rows.strata, weights=rows.hits).astype(int)
    counted = []
    for item in slices:
        inside = item.holds(columns)
        chosen = np.bincount(rows.strata[inside], minlength=len(sizes))
        strata = [
            Stratum(rows=int(size), hits=int(hit), chosen=int(part))
            for size, hit, part in zip(sizes, hits, chosen, strict=True)
            if part
        ]
        wrong = int(rows.hits[inside].sum())
        counted.append((int(inside.sum()), wrong, float(expected[inside].sum()), more_hits(wrong, strata)))
    adjusted = benjamini_hochberg(np.array([p for *_, p in counted]))
    return [
        Found(slice=item, rows=size, hits=wrong, expected=awaited, p=float(p))
        for item, (size, wrong, awaited, _), p in zip(slices, counted, adjusted, strict=True)
    ]
