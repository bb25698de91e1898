"""Measure the share of rows of which something is true.

Independent rows have the binomial interval: Wilson's, Clopper and Pearson's where under 10 rows hit or miss. Grouped
rows have the wider, at each end, of that and of one from resampled groups: where no row hits, no resample does
either, and the resamples alone would say that it is known for certain.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mintage.certify.check import Resampling
from mintage.certify.evidence import Split
from mintage.certify.measure import Measurement, bootstrap_of, measured_samples
from mintage.stats.binomial import clopper_pearson, wilson
from mintage.stats.interval import Interval

__all__ = ["measure_share"]

_FEW = 10


def measure_share(
    hits: NDArray[np.bool_], split: Split, resampling: Resampling, *, most: float | None = None
) -> Measurement:
    """The share of the split's rows that hit; without an interval where rows hit and groups are too few for one.

    ``most`` is what is required: where no row hits, the measurement says how many such rows show that.
    """
    count, rows = int(hits.sum()), split.rows
    few = min(count, rows - count) < _FEW
    binomial = (clopper_pearson if few else wilson)(count, rows, resampling.confidence)
    name = "Clopper-Pearson" if few else "Wilson"
    method = f"{name}, {count:,} of {rows:,}"
    if split.groups is None or count == 0:
        needed = None
        if count == 0 and most and binomial.high > most:
            needed = math.ceil(math.log((1 - resampling.confidence) / 2) / math.log1p(-most))
        return Measurement(
            estimate=count / rows, interval=binomial, rows=rows, groups=rows, needed=needed, method=method
        )
    bootstrap = bootstrap_of(split, resampling, stream="holdout")
    grouped = measured_samples(
        count / rows,
        bootstrap.means(hits.astype(np.float64)),
        rows=rows,
        groups=[bootstrap.groups],
        resampling=resampling,
        method=f"resampled groups, at least as wide as {name}",
    )
    return _widened(grouped, binomial)


def _widened(found: Measurement, other: Interval) -> Measurement:
    if found.interval is None:
        return found
    ends: dict[str, Any] = {
        "low": min(found.interval.low, other.low),
        "high": max(found.interval.high, other.high),
    }
    return msgspec.structs.replace(found, interval=msgspec.structs.replace(found.interval, **ends))
