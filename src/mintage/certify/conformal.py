"""Split conformal prediction: how odd an answer is for what was true, and the band in which coverage then lies. Pure.

The oddness of a row is one less the probability of its class, or the distance from its number. Of rows that are
exchangeable, a share of about ``target`` is no odder than ``cut`` of other rows says (Vovk, Gammerman and Shafer 2005);
how many of n is Beta-Binomial.

>>> cut(np.arange(1.0, 100.0), target=0.9)
90.0
>>> low, high = band(calibrating=1000, tested=1000, target=0.9, share=0.95)
>>> round(low, 3), round(high, 3)
(0.873, 0.925)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mintage.certify.evidence import Split

__all__ = ["band", "cut", "oddness"]


def oddness(split: Split) -> NDArray[np.float64]:
    """How odd what was true is, by the model's answer."""
    values = split.answers.values
    if split.task == "regression":
        return np.asarray(np.abs(split.labels - values), dtype=np.float64)
    if split.task == "binary":
        return np.asarray(np.where(split.labels == 1, 1 - values, values), dtype=np.float64)
    return np.asarray(1 - values[np.arange(split.rows), split.labels], dtype=np.float64)


def cut(odd: NDArray[np.float64], *, target: float) -> float:
    """The oddness that ``target`` of further rows do not exceed; infinite for too few rows."""
    rank = _rank(len(odd), target)
    return math.inf if rank > len(odd) else float(np.sort(odd)[rank - 1])


def band(*, calibrating: int, tested: int, target: float, share: float) -> tuple[float, float]:
    """The least and the largest share of ``tested`` rows covered that are within the middle ``share`` of chance."""
    rank = _rank(calibrating, target)
    if rank > calibrating:
        return 1.0, 1.0
    hits, one, other = np.arange(tested + 1), rank, calibrating + 1 - rank
    logs = special.betaln(hits + one, tested - hits + other) - special.betaln(one, other)
    logs -= special.betaln(hits + 1, tested - hits + 1) + math.log(tested + 1)
    below = np.cumsum(np.exp(logs))
    low, high = np.searchsorted(below, [(1 - share) / 2, (1 + share) / 2])
    return float(low / tested), float(min(high, tested) / tested)


def _rank(rows: int, target: float) -> int:
    return math.ceil((rows + 1) * target - 1e-9)
