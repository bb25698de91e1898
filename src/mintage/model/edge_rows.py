"""Rows made to find where a lowered model differs: values at the edges of every column and of every split.

Four sorts, all built on real rows: special values a column (null, unseen and odd texts, infinities, integers that a
float32 cannot hold); for each split of a tree, a row that passes through it with the value at the threshold, one ulp
below and one above it, and null; for each split by categories, members and others; and real values mixed at random.
Pure: the random generator is an argument, and the features that the trees see come from a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.trees import Tree, passing
from mintage.model.doubles import as_order, from_order, middle_above

__all__ = ["Features", "edge_rows"]

Array = np.ndarray[Any, Any]
Columns = Mapping[str, Array]
Features = Callable[[Columns], Array]

NUMBERS = (
    *(np.nan, 0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.0**24 + 1, -(2.0**24) - 1, 2.0**53, -(2.0**53)),
    *(1e-30, 1e30, -1e30, 1e150, -1e150),
)
INFINITIES = (np.inf, -np.inf)
TEXTS = (None, "", " ", "never seen", "x" * 10_000, "Zürich ✈ 東京", "nan", "None", "0", "a\x00b", "\ufeff")
SAMPLE = 1500
MOST = 40_000


class _Rows:
    """Edge rows under construction: each is a real row with some values replaced."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.base: list[int] = []
        self.changes: list[dict[str, Any]] = []

    def add(self, base: int, changes: Mapping[str, Any]) -> None:
        self.base.append(base)
        self.changes.append(dict(changes))

    def table(self) -> dict[str, Array]:
        found = {name: column[np.array(self.base, dtype=np.int64)] for name, column in self.columns.items()}
        for row, changes in enumerate(self.changes):
            for name, value in changes.items():
                found[name][row] = value
        return found


def edge_rows(
    columns: Columns,
    *,
    trees: Sequence[Tree],
    sources: Sequence[str],
    rounded: Sequence[bool],
    features: Features | None,
    categories: Mapping[str, Sequence[str | float]],
    rng: np.random.Generator,
    count: int,
) -> dict[str, Array]:
    """At least ``count`` edge rows of the columns (float64, or objects of str or None), most of them at splits.

    ``features`` turns columns into the matrix that ``trees`` split; ``sources`` names the raw column of each feature.
    Splits on ``rounded`` features are left out: their last bit differs between libraries, so a row exactly there is a
    tie.
    """
    rows = _Rows(columns)
    total = len(next(iter(columns.values())))
    _specials(rows, total, categories, rng)
    if trees and features is not None:
        usable = frozenset(at for at, source in enumerate(sources) if source in columns and not rounded[at])
        splits = _Splits(rows=rows, sources=sources, usable=usable, features=features, categories=categories, rng=rng)
        splits.add(trees, np.sort(rng.permutation(total)[:SAMPLE]))
    _mixed(rows, total, max(count - len(rows.base), count // 10), rng)
    return rows.table()


def _specials(
    rows: _Rows, total: int, categories: Mapping[str, Sequence[str | float]], rng: np.random.Generator
) -> None:
    for name, column in rows.columns.items():
        text = column.dtype.kind == "O"
        known = list(categories.get(name, ()))
        odd = [f"{value}{tail}" for value in known[:2] for tail in (" ", "\x00")] if text else []
        for value in (*TEXTS, *odd, *known) if text else (*NUMBERS, *known):
            for base in rng.integers(total, size=2).tolist():
                rows.add(base, {name: value})
    rows.add(0, {name: None if column.dtype.kind == "O" else np.nan for name, column in rows.columns.items()})
    for name, column in rows.columns.items():
        if column.dtype.kind != "O":
            for value in INFINITIES:
                rows.add(int(rng.integers(total)), {name: value})


@dataclass(frozen=True, kw_only=True)
class _Splits:
    """Rows at the splits of trees on ``usable`` features."""

    rows: _Rows
    sources: Sequence[str]
    usable: frozenset[int]
    features: Features
    categories: Mapping[str, Sequence[str | float]]
    rng: np.random.Generator

    def add(self, trees: Sequence[Tree], sample: Array) -> None:
        """For each split that a row of ``sample`` passes through; a random choice of splits if they are too many.

        Then each tree is walked by some of the rows only.
        """
        table = {name: column[sample] for name, column in self.rows.columns.items()}
        matrix = self.features(table)
        absent = {
            source: self.features({**table, source: self._missing(source, len(sample))}) for source in self._used(trees)
        }
        found: list[tuple[Tree, int, int]] = []
        nulls: list[tuple[int, str]] = []
        splits = sum(int((~tree.is_leaf).sum()) for tree in trees)
        most = len(sample) if splits <= MOST // 4 else max(50, len(sample) * MOST // (4 * splits))
        for tree in trees:
            rows = np.sort(self.rng.permutation(len(sample))[:most]) if most < len(sample) else np.arange(len(sample))
            found.extend(self._reached(tree, matrix[rows], sample[rows], None))
            for source in self._used([tree]):
                reached = self._reached(tree, absent[source][rows], sample[rows], source)
                nulls.extend((base, source) for _, _, base in reached)
        found, nulls = self._some(found), self._some(nulls)
        for base, source in nulls:
            self.rows.add(base, {source: self._missing(source, 1)[0]})
        self._thresholds([item for item in found if item[0].members[item[1]] is None])
        by_members = [(self.sources[tree.feature[node]], base) for tree, node, base in found if tree.members[node]]
        self._members(by_members)

    def _some(self, items: list[Any]) -> list[Any]:
        if len(items) <= MOST // 4:
            return items
        return [items[place] for place in np.sort(self.rng.permutation(len(items))[: MOST // 4]).tolist()]

    def _reached(self, tree: Tree, matrix: Array, sample: Array, source: str | None) -> list[tuple[Tree, int, int]]:
        """Each split, or each on ``source``, that a row passes through, with such a row."""
        return [
            (tree, node, int(sample[rows[self.rng.integers(len(rows))]]))
            for node, rows in passing(tree, matrix).items()
            if not tree.is_leaf[node]
            and int(tree.feature[node]) in self.usable
            and source in (None, self.sources[tree.feature[node]])
        ]

    def _used(self, trees: Sequence[Tree]) -> list[str]:
        features = {int(feature) for tree in trees for feature in tree.feature[~tree.is_leaf].tolist()}
        return sorted({self.sources[feature] for feature in features & self.usable})

    def _missing(self, source: str, rows: int) -> Array:
        return np.full(rows, None, dtype=object) if self._is_text(source) else np.full(rows, np.nan)

    def _is_text(self, source: str) -> bool:
        return bool(self.rows.columns[source].dtype.kind == "O")

    def _thresholds(self, splits: Sequence[tuple[Tree, int, int]]) -> None:
        """Column by column, find the raw value at each threshold, for all splits of that column at once."""
        for feature in sorted({int(tree.feature[node]) for tree, node, _ in splits}):
            source = self.sources[feature]
            mine = [item for item in splits if int(item[0].feature[item[1]]) == feature]
            if self._is_text(source):
                self._members([(source, base) for _, _, base in mine])
                continue
            bases = np.array([base for _, _, base in mine])
            limits = np.array([tree.threshold[node] for tree, node, _ in mine])
            for base, value in zip(bases.tolist(), self._largest_below(source, feature, bases, limits), strict=True):
                for near in (value, np.nextafter(value, np.inf), np.nextafter(value, -np.inf)):
                    if np.isfinite(near):
                        self.rows.add(base, {source: float(near)})

    def _largest_below(self, source: str, feature: int, bases: Array, limits: Array) -> list[float]:
        """For each base row, the largest float that as ``source`` gives a feature of at most the limit, by bisection.

        Doubles are ordered like their bits, so 64 steps suffice; all supported transformers are monotone.
        """
        table = {name: column[bases] for name, column in self.rows.columns.items()}
        low = np.full(len(bases), as_order(np.array([-1e200]))[0])
        high = np.full(len(bases), as_order(np.array([1e200]))[0])
        for _ in range(64):
            middle = middle_above(low, high)
            table[source] = from_order(middle)
            below = self.features(table)[:, feature] <= limits
            low, high = np.where(below, middle, low), np.where(below, high, middle - 1)
        found: list[float] = from_order(low).tolist()
        return found

    def _members(self, splits: Sequence[tuple[str, int]]) -> None:
        """At each split by categories: all of them, or six if that were too many rows; a missing and an unseen one."""
        every = sum(len(self.categories.get(source, ())) for source, _ in splits) <= MOST // 4
        for source, base in splits:
            known = list(self.categories.get(source, ()))
            chosen = known if every else [known[place] for place in self.rng.permutation(len(known))[:6].tolist()]
            for value in (*chosen, *((None, "never seen") if self._is_text(source) else (np.nan, -1.0))):
                self.rows.add(base, {source: value})


def _mixed(rows: _Rows, total: int, count: int, rng: np.random.Generator) -> None:
    """Real values, each column drawn on its own; some replaced by an edge."""
    names = list(rows.columns)
    draws = {name: rng.integers(total, size=count).tolist() for name in names}
    for row in range(count):
        changes: dict[str, Any] = {name: rows.columns[name][draws[name][row]] for name in names}
        odd = names[int(rng.integers(len(names)))]
        if rng.random() < 0.3:
            choices = TEXTS if rows.columns[odd].dtype.kind == "O" else NUMBERS
            changes[odd] = choices[int(rng.integers(len(choices)))]
        rows.add(0, changes)
