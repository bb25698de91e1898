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
from collections.abc import Sequence
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
    ``absent``, those of them that training lacks, and ``largest``, the one of these with most rows."""

    cells: int
    covered: int
    met: int
    absent: int
    largest: Cell | None


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
) -> CellCounts:
    """Count all cells of ``ways`` columns. Levels are places below ``sizes``, those below ``domains`` of the domain; a
    cell is covered that training has ``times`` times."""
    covered = met = absent = 0
    largest: Cell | None = None
    for chosen in combinations(range(len(sizes)), ways):
        shape = tuple(sizes[column] for column in chosen)
        ours, theirs = (_counts([rows[column] for column in chosen], shape) for rows in (train, others))
        inside = tuple(slice(0, domains[column]) for column in chosen)
        covered += int(np.count_nonzero(ours.reshape(shape)[inside] >= times))
        met += int(np.count_nonzero(theirs))
        lacking = theirs * (ours == 0)
        absent += int(np.count_nonzero(lacking))
        place = int(lacking.argmax())
        rows = int(lacking[place])
        if rows > (largest.rows if largest else 0):
            levels = tuple(int(level) for level in np.unravel_index(place, shape))
            largest = Cell(columns=chosen, levels=levels, rows=rows)
    return CellCounts(cells=cells_of(domains, ways), covered=covered, met=met, absent=absent, largest=largest)


def _counts(columns: Sequence[Places], shape: Sequence[int]) -> NDArray[np.intp]:
    code = columns[0]
    for column, size in zip(columns[1:], shape[1:], strict=True):
        code = code * size + column
    return np.bincount(code, minlength=math.prod(shape))
