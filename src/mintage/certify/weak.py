"""Which slices of a split are weak: proposed on one half of its groups, confirmed on the other, with a lower bound.

A slice is weak if the exact test finds it at a false discovery rate of ``q``, and the low end of the interval of its
ratio, hits over those of rows like it, lies above ``ratio``. The interval is the wider the fewer of those tested were
found (Benjamini and Yekutieli 2005, for selected parameters), and counts groups where rows belong together, so that
days which differ are no slice. ``planted`` makes the rows of a control: a slice whose hits were multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mintage.certify.answers import Answers
from mintage.certify.check import Resampling
from mintage.certify.evidence import Split
from mintage.certify.slices import Coded, Found, Rows, Slice, confirm, propose
from mintage.stats.binomial import clopper_pearson

__all__ = ["Search", "Weak", "halves", "hits_of", "planted", "strata_of"]

_STRATA, _WORST, _CONFIRMED = 20, 0.90, 50


@dataclass(frozen=True, kw_only=True)
class Weak:
    """A weak slice, and the low end of its ratio."""

    found: Found
    low: float

    @property
    def ratio(self) -> float:
        """Its hits over those of rows like it."""
        return self.found.hits / self.found.expected


@dataclass(frozen=True, kw_only=True)
class Search:
    """How slices of ``columns`` are searched; ``confirming`` says which rows confirm, ``groups`` are their groups."""

    columns: Sequence[Coded]
    confirming: NDArray[np.bool_]
    groups: NDArray[np.int64] | None
    min_rows: int
    ratio: float
    q: float
    resampling: Resampling

    def weak(self, rows: Rows) -> list[Weak]:
        """The weak slices, the surest first; one that owes it to rows of a surer one is left out."""
        of, found = self.confirming, []
        proposing = [replace(column, codes=column.codes[~of]) for column in self.columns]
        columns = [replace(column, codes=column.codes[of]) for column in self.columns]
        slices = propose(proposing, _part(rows, ~of), least=max(2, self.min_rows // 2), most=_CONFIRMED)
        hits, expected = rows.hits[of], _part(rows, of).expected()
        chosen = [item for item in confirm(columns, _part(rows, of), slices) if item.p <= self.q]
        error = (1 - self.resampling.confidence) * len(chosen) / max(len(slices), 1)
        told = np.zeros(int(of.sum()), dtype=bool)
        for item in sorted(chosen, key=lambda item: (item.p, -item.hits)):
            inside = item.slice.holds(columns)
            low = self._low(inside, hits, expected, 1 - error)
            rest = inside & ~told
            if item.rows < self.min_rows / 2 or low <= self.ratio:
                continue
            if rest.sum() == inside.sum() or self._low(rest, hits, expected, 1 - error) > self.ratio:
                told |= inside
                found.append(Weak(found=item, low=low))
        return found

    def _low(
        self, inside: NDArray[np.bool_], hits: NDArray[np.bool_], expected: NDArray[np.float64], confidence: float
    ) -> float:
        """The low end of the ratio of some rows; 0 where too few rows or groups give none."""
        wrong, awaited = int(hits[inside].sum()), float(expected[inside].sum())
        if awaited == 0:
            return 0.0
        if self.groups is None:
            count = int(inside.sum())
            return clopper_pearson(wrong, count, confidence).low * count / awaited
        # the ratio's linear part, summed by group; Student's t for few groups
        codes = np.unique(self.groups[self.confirming][inside], return_inverse=True)[1].reshape(-1)
        ratio, units = wrong / awaited, int(codes.max()) + 1
        if units < 2:
            return 0.0
        off = np.bincount(codes, weights=hits[inside] - ratio * expected[inside])
        spread = float(np.sqrt(units / (units - 1) * np.square(off).sum())) / awaited
        return max(0.0, ratio - float(special.stdtrit(units - 1, (1 + confidence) / 2)) * spread)


def hits_of(labels: NDArray[np.generic], answers: Answers) -> NDArray[np.bool_]:
    """Wrong labels; of a regression the tenth of the rows whose answers are furthest off."""
    if answers.task != "regression":
        return np.asarray(answers.labels != labels)
    off = np.abs(np.asarray(labels, dtype=np.float64) - answers.values)
    return np.asarray(off > np.quantile(off, _WORST))


def strata_of(answers: Answers) -> NDArray[np.int64]:
    """Twentieths of the rows by what the model answers; of several classes, by how sure it is."""
    values = answers.values if answers.values.ndim == 1 else answers.values.max(axis=1)
    cuts = np.unique(np.quantile(values, np.arange(1, _STRATA) / _STRATA))
    return np.searchsorted(cuts, values, side="right").astype(np.int64)


def halves(split: Split, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.int64] | None]:
    """Which rows confirm, whole groups together, and each row's group as a number."""
    if split.groups is None:
        chosen = np.zeros(split.rows, dtype=bool)
        chosen[rng.permutation(split.rows)[: split.rows // 2]] = True
        return chosen, None
    codes = np.unique(split.groups, return_inverse=True)[1].reshape(-1).astype(np.int64)
    order = rng.permutation(codes.max() + 1)
    return np.isin(codes, order[: len(order) // 2]), codes


def planted(
    columns: Sequence[Coded], rows: Rows, *, share: float, times: float, rng: np.random.Generator
) -> tuple[Slice, Rows] | None:
    """A slice of two conditions of about ``share`` of the rows, in which hits are ``times`` as frequent as they were
    there, or on all rows if that is more; None where no two columns make one of at least half and at most twice that.
    """
    best: tuple[float, Slice] | None = None
    for _ in range(200):
        if len(columns) < 2:
            return None
        one, other = sorted(rng.choice(len(columns), 2, replace=False).tolist())
        row = int(rng.integers(len(rows.hits)))
        item = Slice(conditions=((one, int(columns[one].codes[row])), (other, int(columns[other].codes[row]))))
        off = abs(float(np.log(item.holds(columns).mean() / share)))
        best = (off, item) if best is None or off < best[0] else best
    if best is None or best[0] > np.log(2):
        return None
    inside = best[1].holds(columns)
    wrong = max(rows.hits[inside].mean(), rows.hits.mean())
    free = np.flatnonzero(inside & ~rows.hits)
    more = round(min(0.9, times * wrong) * inside.sum()) - int(rows.hits[inside].sum())
    hits = rows.hits.copy()
    hits[rng.permutation(free)[: max(more, 0)]] = True
    return best[1], Rows(hits=hits, strata=rows.strata)


def _part(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    return Rows(hits=rows.hits[chosen], strata=rows.strata[chosen])
