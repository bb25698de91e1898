"""CatBoost's statistics of categories: which combination of categories and bits has which, as look-up tables.

The model maps hashes of combinations to counts of training rows. Here each combination of known categories is hashed as
the library does, so that the graph needs no hashes: a combination is one whole number, the key of a table. Any other
combination has the statistic of no rows at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mintage.lower.boosting.catboost_model import Statistic
from mintage.lower.description import Step

__all__ = ["Combinations", "combinations", "statistic_values"]

Array = np.ndarray[Any, Any]
MOST = 1 << 22
_FACTOR = np.uint64(0x4906BA494954CB65)


@dataclass(frozen=True)
class Combinations:
    """The combinations that a statistic knows: ``rows`` of its table, and the ``codes`` [found, parts] of each.

    A code is the place of a known category, or a bit; ``sizes`` are one more than the categories, for unknown ones, or
    two. ``complete`` says that every row of the table was found.
    """

    rows: Array
    codes: Array
    sizes: tuple[int, ...]
    complete: bool


def combinations(step: Step, statistic: Statistic, hashes: Sequence[Array]) -> Combinations:
    """Find a statistic's combinations; ``hashes`` are those of the known categories of each feature."""
    mine = [hashes[place] for place in statistic.categories]
    lengths = [*map(len, mine), *[2] * len(statistic.bits)]
    if np.prod(np.array(lengths, dtype=float)) > MOST:
        step.refuse(
            f"combines {len(mine)} categories with too many values; it has an exact lowering with max_ctr_complexity=1"
        )
    found = np.zeros(1, dtype=np.uint64)
    for part in mine:
        found = _combine(found, part.astype(np.uint32).astype(np.int32).astype(np.int64).astype(np.uint64))
    for _ in statistic.bits:
        found = _combine(found, np.arange(2, dtype=np.uint64))
    order = np.argsort(statistic.hashes)
    place = np.searchsorted(statistic.hashes, found, sorter=order)
    rows = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(len(found), dtype=np.int64)
    hits = np.flatnonzero(statistic.hashes[rows] == found) if len(order) else np.zeros(0, dtype=np.int64)
    codes = (
        np.column_stack(np.unravel_index(hits, lengths)) if len(hits) else np.zeros((0, len(lengths)), dtype=np.int64)
    )
    return Combinations(
        rows=rows[hits],
        codes=codes,
        sizes=(*(len(part) + 1 for part in mine), *[2] * len(statistic.bits)),
        complete=len(set(rows[hits].tolist())) == len(statistic.hashes),
    )


def _combine(found: Array, values: Array) -> Array:
    """The library's hash of pairs, all with all."""
    with np.errstate(over="ignore"):
        combined: Array = (_FACTOR * (found[:, np.newaxis] + _FACTOR * values[np.newaxis])).ravel()
    return combined


def statistic_values(step: Step, statistic: Statistic) -> tuple[Array, float]:
    """The statistic of each row of the table, and that of no rows; float32 arithmetic, as doubles."""
    counts, none = statistic.counts, 0.0
    if statistic.kind == "Borders":
        good, total = counts[:, statistic.target + 1 :].sum(axis=1), counts.sum(axis=1)
    elif statistic.kind == "Buckets":
        good, total = counts[:, statistic.target], counts.sum(axis=1)
    elif statistic.kind in ("BinarizedTargetMeanValue", "FloatTargetMeanValue"):
        good, total = counts[:, 0], counts[:, 1]
    elif statistic.kind in ("Counter", "FeatureFreq"):
        none = float(statistic.denominator)
        good, total = counts[:, 0], np.full(len(counts), none)
    else:
        step.refuse(f"with statistics of kind {statistic.kind!r} has no exact lowering")
    every = _statistic(statistic, np.append(good, 0.0), np.append(total, none))
    return every[:-1], float(every[-1])


def _statistic(statistic: Statistic, good: Array, total: Array) -> Array:
    prior, scale = (np.array(pair, dtype=np.float32) for pair in (statistic.prior, statistic.scale))
    share = (good.astype(np.float32) + prior[0]) / (total.astype(np.float32) + prior[1])
    found: Array = ((share + scale[0]) * scale[1]).astype(np.float64)
    return found
