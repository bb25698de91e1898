"""Where nothing changed, the monitor must say so: traffic resampled from the validation days themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from monitor_flights import CHAMPION, FittedCandidate, Flights, fit

from mintage.monitor.evidence import CandidatePlan
from mintage.monitor.result import MonitorResult
from mintage.monitor.watch import WatchInputs, watch

START = date(2013, 3, 1)
SEEDS = 20


def _resampled(
    days: dict[str, pl.DataFrame], names: list[str], first: int, count: int, rng: np.random.Generator
) -> list:
    """Whole days drawn from ``names``, each given a new date and new ids."""
    drawn = []
    for offset in range(first, first + count):
        new = START + timedelta(days=offset)
        rows = days[names[rng.integers(len(names))]]
        clock = (pl.col("scheduled_departure") - pl.col("scheduled_departure").dt.truncate("1d")).cast(
            pl.Duration("us")
        )
        drawn.append(
            rows.with_columns(
                day=pl.lit(new.isoformat()),
                scheduled_departure=pl.lit(datetime(new.year, new.month, new.day)).cast(pl.Datetime("us")) + clock,
                flight_id=pl.format("{}-{}", pl.lit(new.isoformat()), "flight_id"),
            )
        )
    return drawn


def _look(
    flights: Flights, labels_of: Callable[..., pa.Table], days: dict[str, pl.DataFrame], seed: int
) -> MonitorResult:
    """A month to train a candidate on, a month to judge it on, a month without labels; no day is in the first two."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(sorted(days)).tolist()
    trained, judged = order[:4], order[4:]
    labelled = pl.concat(_resampled(days, trained, 0, 30, rng) + _resampled(days, judged, 30, 30, rng))
    unlabelled = pl.concat(_resampled(days, order, 60, 31, rng))

    def make(plan: CandidatePlan) -> FittedCandidate:
        assert plan.train_until == (START + timedelta(days=29)).isoformat()
        recent = labelled.filter(pl.col("day") <= plan.train_until)
        rows = pl.concat([flights.between("2013-01-01", "2013-02-14").gather_every(3), recent])
        return FittedCandidate("candidate", fit(rows))

    as_of = (START + timedelta(days=91)).isoformat()
    return watch(
        WatchInputs(
            spec=flights.spec,
            root=CHAMPION,
            profile=flights.profile,
            reference=flights.reference,
            predictions=flights.log(pl.concat([labelled, unlabelled])),
            labels=labels_of(labelled, as_of),
            as_of=as_of,
            seen_until="2013-02-28",
            make_candidate=make,
        )
    )


@pytest.mark.slow
def test_traffic_resampled_from_the_validation_days_decides_none(
    flights: Flights, labels_of: Callable[..., pa.Table]
) -> None:
    sample = flights.validation.gather_every(3)
    days = {str(key[0]): rows for key, rows in sample.partition_by("day", as_dict=True).items()}
    looks = [_look(flights, labels_of, days, seed) for seed in range(SEEDS)]

    assert all(look.gain is not None and look.gain.sufficient for look in looks)
    assert sum(look.decision.action == "none" for look in looks) >= 19, [look.decision.sentence for look in looks]
