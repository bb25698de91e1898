"""Which streams moved, in the order in which a person should look; and what a change of the loss is made of.

>>> parts = split_loss(
...     reference=(np.array([0, 0, 1]), np.array([0.1, 0.3, 0.9])), now=(np.array([0, 1, 1]), np.array([0.2, 0.9, 0.9]))
... )
>>> round(parts.mix, 3), round(parts.within, 3)
(0.233, 0.0)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.monitor.evidence import LossChange, StreamEvidence

__all__ = ["loss_shift", "rank", "split_loss"]

_ORDER = {"moved": 0, "suspected": 1, "steady": 2}


def rank(streams: Iterable[StreamEvidence]) -> tuple[StreamEvidence, ...]:
    """Those with evidence first; among equals the larger effect on the distribution first, then by name."""
    return tuple(sorted(streams, key=lambda s: (_ORDER[s.status], -s.effect, s.name)))


def loss_shift(reference: NDArray[Any], bins: NDArray[np.int64], losses: NDArray[np.float64]) -> float:
    """What the shift of one stream from ``reference`` counts does to the mean loss: sum of (q - p) x loss of the bin.

    ``bins`` and ``losses`` are those of the labelled rows. Additive and exact for that stream alone; streams that
    move together each claim the same change. A bin without labelled rows has the mean loss.
    """
    total = np.asarray(reference, dtype=np.float64)
    rows = np.bincount(bins, minlength=len(total)).astype(np.float64)
    sums = np.bincount(bins, weights=losses, minlength=len(total))
    mean = float(losses.mean())
    of_bin = np.where(rows > 0, sums / np.maximum(rows, 1), mean)
    return float(((rows / rows.sum() - total / total.sum()) * (of_bin - mean)).sum())


def split_loss(
    *,
    reference: tuple[NDArray[Any], NDArray[np.float64]],
    now: tuple[NDArray[Any], NDArray[np.float64]],
) -> LossChange:
    """Split the change of the mean loss, exactly, by score bin: other shares of the bins, and other loss within them.

    Each side is (score bin of each row, its loss). Weights are averages of both sides, so that nothing is left over.
    """
    size = int(max(reference[0].max(), now[0].max())) + 1
    shares, means = [], []
    for bins, losses in (reference, now):
        rows = np.bincount(bins, minlength=size).astype(np.float64)
        sums = np.bincount(bins, weights=losses, minlength=size)
        shares.append(rows / rows.sum())
        means.append(np.divide(sums, rows, out=np.full(size, np.nan), where=rows > 0))
    before = np.where(np.isnan(means[0]), means[1], means[0])
    after = np.where(np.isnan(means[1]), before, means[1])
    before, after = np.nan_to_num(before), np.nan_to_num(after)
    mix = float(((shares[1] - shares[0]) * (before + after) / 2).sum())
    within = float(((after - before) * (shares[0] + shares[1]) / 2).sum())
    return LossChange(mix=mix, within=within)
