"""Are there more hits among some rows than chance gives, comparing like with like? Exact, and pure.

Rows lie in strata. Under "no difference within a stratum" the hits among the chosen rows of each are hypergeometric
(Fisher), and their sum over the strata is the convolution: the exact conditional test behind Mantel and Haenszel 1959.
With one stratum it is Fisher's exact test.

>>> round(more_hits(3, [Stratum(rows=10, hits=3, chosen=3)]), 6)
0.008333
>>> more_hits(0, [Stratum(rows=10, hits=3, chosen=3)])
1.0
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Stratum", "more_hits"]


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """``hits`` among ``rows``, of which ``chosen`` are looked at."""

    rows: int
    hits: int
    chosen: int


def more_hits(found: int, strata: Iterable[Stratum]) -> float:
    """The chance of at least ``found`` hits among the chosen rows of all strata."""
    total, least = np.ones(1), 0
    for stratum in strata:
        start, masses = _hypergeometric(stratum)
        total, least = np.convolve(total, masses), least + start
    return float(min(1.0, total[max(found - least, 0) :].sum()))


def _hypergeometric(stratum: Stratum) -> tuple[int, NDArray[np.float64]]:
    """The least number of hits among the chosen, and the mass of it and of each more."""
    rows, hits, chosen = stratum.rows, stratum.hits, stratum.chosen
    least = max(0, chosen - (rows - hits))
    count = np.arange(least, min(hits, chosen) + 1)
    masses = np.exp(_choose(hits, count) + _choose(rows - hits, chosen - count) - _choose(rows, np.array([chosen])))
    return least, masses / masses.sum()


def _choose(total: int, part: NDArray[np.int_]) -> NDArray[np.float64]:
    logs = special.gammaln(total + 1) - special.gammaln(part + 1) - special.gammaln(total - part + 1)
    return np.asarray(logs, dtype=np.float64)
