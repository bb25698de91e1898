"""Combinations of t columns' levels: which cells training covers, and which cells of other rows it lacks.

A cell is one level of each of ``ways`` columns. Kuhn, Kacker and Lei's combinatorial coverage, with how often a cell
must occur; and Lanus and others' set difference (2021, "Combinatorial Testing Metrics for Machine Learning"): the
share of the other rows' cells that training does not have.

>>> train = [np.array([0, 0, 1]), np.array([0, 1, 0])]
>>> found = count_cells(train, [np.array([1]), np.array([1])], sizes=[2, 2], domains=[2, 2], ways=2, times=1)
>>> (found.cells, found.covered, found.met, found.absent)
(4, 3, 1, 1)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cell", "CellCounts", "cells_of", "count_cells"]

Places = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its columns' places, the level of each, and how many rows of the other table it has."""

    columns: tuple[int, ...]
    levels: tuple[int, ...]
    rows: int


@dataclass(frozen=True, kw_only=True)
class CellCounts:
    """``cells`` of the domain and how many of them training covers; ``met``, cells that the other rows have,
    ``absent``, those of them that training lacks, and ``largest``, the one of these with most rows. ``outside`` are the
    absent ones that have a level outside the domain; ``met_alone`` and ``absent_alone`` say of each group of the other
    rows how many cells no other group has."""

    cells: int
    covered: int
    met: int
    absent: int
    largest: Cell | None
    outside: int = 0
    met_alone: Places | None = None
    absent_alone: Places | None = None


def cells_of(sizes: Sequence[int], ways: int) -> int:
    """How many cells there are, without making them: a sum of products over all choices of columns."""
    sums = [1] + [0] * ways
    for size in sizes:
        for count in range(ways, 0, -1):
            sums[count] += sums[count - 1] * size
    return sums[ways]


def count_cells(
    train: Sequence[Places],
    others: Sequence[Places],
    *,
    sizes: Sequence[int],
    domains: Sequence[int],
    ways: int,
    times: int,
    impossible: Callable[[Sequence[int]], NDArray[np.bool_] | None] | None = None,
    groups: Places | None = None,
) -> CellCounts:
    """Count all cells of ``ways`` columns. Levels are places below ``sizes``, those below ``domains`` of the domain; a
    cell is covered that training has ``times`` times. ``impossible`` says of some columns which cells of the domain,
    in the shape of ``domains``, are none; ``groups`` is the group of each of the other rows, as a place."""
    cells = covered = met = absent = outside = 0
    alone = None if groups is None else np.zeros((2, int(groups.max(initial=-1)) + 1), dtype=np.intp)
    largest: Cell | None = None
    for chosen in combinations(range(len(sizes)), ways):
        shape = tuple(sizes[column] for column in chosen)
        ours, theirs = (_counts([rows[column] for column in chosen], shape) for rows in (train, others))
        inside = tuple(slice(0, domains[column]) for column in chosen)
        enough = ours.reshape(shape)[inside] >= times
        out = None if impossible is None else impossible(chosen)
        cells += enough.size if out is None else int(np.count_nonzero(~out))
        covered += int(np.count_nonzero(enough if out is None else enough & ~out))
        met += int(np.count_nonzero(theirs))
        lacking = theirs * (ours == 0)
        absent += int(np.count_nonzero(lacking))
        outside += int(np.count_nonzero(lacking)) - int(np.count_nonzero(lacking.reshape(shape)[inside]))
        if alone is not None and groups is not None:
            alone += _alone([others[column] for column in chosen], shape, groups, ours, count=alone.shape[1])
        place = int(lacking.argmax())
        rows = int(lacking[place])
        if rows > (largest.rows if largest else 0):
            levels = tuple(int(level) for level in np.unravel_index(place, shape))
            largest = Cell(columns=chosen, levels=levels, rows=rows)
    return CellCounts(
        cells=cells,
        covered=covered,
        met=met,
        absent=absent,
        largest=largest,
        outside=outside,
        met_alone=None if alone is None else alone[0],
        absent_alone=None if alone is None else alone[1],
    )


def _alone(columns: Sequence[Places], shape: Sequence[int], groups: Places, ours: Places, *, count: int) -> Places:
    """Of each group, how many cells it alone has, and how many of those training lacks."""
    code = _codes(columns, shape)
    last = np.full(math.prod(shape), -1, dtype=np.intp)
    last[code] = groups
    shared = np.zeros(len(last), dtype=bool)
    shared[code[last[code] != groups]] = True
    single = (last >= 0) & ~shared
    return np.stack([np.bincount(last[which], minlength=count) for which in (single, single & (ours == 0))])


def _counts(columns: Sequence[Places], shape: Sequence[int]) -> NDArray[np.intp]:
    return np.bincount(_codes(columns, shape), minlength=math.prod(shape))


def _codes(columns: Sequence[Places], shape: Sequence[int]) -> Places:
    code = columns[0]
    for column, size in zip(columns[1:], shape[1:], strict=True):
        code = code * size + column
    return code
