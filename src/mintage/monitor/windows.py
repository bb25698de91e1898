"""Traffic by day: counts over the profile's bins, and which days' labels are mature.

A window is a day, the unit in which everything is resampled and tested. A day is mature when it is at least as old as
labels take to come and at least nine tenths of its rows have one: a day of which only the quick labels are there would
show a loss of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mintage.monitor.evidence import CandidatePlan
from mintage.monitor.traffic import Traffic
from mintage.profile.bins import bin_numbers, bin_text
from mintage.profile.profile import SCORE, Profile, Stream

__all__ = [
    "DayChoice",
    "DayCounts",
    "MatureDays",
    "bin_stream",
    "count_days",
    "even_day",
    "mature_days",
    "plan_candidate",
]

DayChoice = Callable[[str], bool]

MATURE_SHARE = 0.9
EVALUATION_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class DayCounts:
    """For each stream the counts [days, bins] of ``days`` (datetime64[D], ascending, those with rows)."""

    days: NDArray[np.datetime64]
    streams: dict[str, NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class MatureDays:
    """``days`` with rows, ascending; of each the number of rows and of labels; and which are mature."""

    days: NDArray[np.datetime64]
    rows: NDArray[np.int64]
    labelled: NDArray[np.int64]
    mature: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.datetime64]:
        """The mature days."""
        return self.days[self.mature]

    def of(self, traffic: Traffic) -> NDArray[np.bool_]:
        """Which rows of the traffic are labelled and of a mature day."""
        return np.asarray(np.isin(traffic.days, self.known) & np.isfinite(traffic.labels))


def bin_stream(stream: Stream, traffic: Traffic) -> NDArray[np.int64]:
    """The bin of each row of the traffic in one stream."""
    if stream.name == SCORE:
        return bin_numbers(stream.edges, traffic.scores)
    if stream.kind == "number":
        return bin_numbers(stream.edges, traffic.inputs([stream.name])[stream.name])
    column = traffic.column(stream.name).combine_chunks().cast(pa.string()).dictionary_encode(null_encoding="encode")
    values = np.asarray(column.dictionary.to_numpy(zero_copy_only=False), dtype=object)
    return np.asarray(bin_text(stream.categories, values)[column.indices.to_numpy()], dtype=np.int64)


def count_days(profile: Profile, traffic: Traffic) -> DayCounts:
    """Count each day's rows over the profile's bins; each value is looked at once."""
    days, place = np.unique(traffic.days, return_inverse=True)
    counts: dict[str, NDArray[np.int64]] = {}
    for stream in profile.streams:
        bins = len(stream.total)
        flat = np.bincount(place * bins + bin_stream(stream, traffic), minlength=len(days) * bins)
        counts[stream.name] = flat.reshape(len(days), bins).astype(np.int64)
    return DayCounts(days=days, streams=counts)


def mature_days(traffic: Traffic, *, as_of: np.datetime64, delay_days: int) -> MatureDays:
    """Which days' labels can be relied on at ``as_of``."""
    days, place = np.unique(traffic.days, return_inverse=True)
    rows = np.bincount(place, minlength=len(days)).astype(np.int64)
    labelled = np.bincount(place, weights=np.isfinite(traffic.labels), minlength=len(days)).astype(np.int64)
    old = (as_of - days) >= np.timedelta64(delay_days, "D")
    return MatureDays(days=days, rows=rows, labelled=labelled, mature=old & (labelled >= MATURE_SHARE * rows))


def even_day(day: str) -> bool:
    """Whether an ISO date's day of the month is even: the days that decide; odd ones stay closed for certification."""
    return int(day[8:10]) % 2 == 0


def plan_candidate(
    known: NDArray[np.datetime64], *, seen_until: str | None, decides_on: DayChoice
) -> CandidatePlan | None:
    """The candidate to train when ``known`` days are mature: judged on those of the last 30 on which neither model saw.

    ``seen_until`` is the last day of which the champion saw rows; ``decides_on`` says of a date whether it may be used
    to decide. None without a day to judge on.
    """
    if not len(known):
        return None
    last = known[-1]
    train_until = last - np.timedelta64(EVALUATION_DAYS, "D")
    after = train_until if seen_until is None else max(train_until, np.datetime64(seen_until[:10], "D"))
    days = tuple(str(day) for day in known if day > after and decides_on(str(day)))
    if not days:
        return None
    return CandidatePlan(train_until=str(train_until), labels_until=str(last), evaluate_days=days)
