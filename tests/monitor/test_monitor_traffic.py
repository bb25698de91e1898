"""From files to evidence: joins that use only what was known, days, maturity, and drift that was put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from monitor_flights import CHAMPION, NUMBERS, TEXT, Flights, columns_of

from mintage.errors import CandidateInvalidError, TrafficInvalidError
from mintage.monitor.attribute import loss_shift
from mintage.monitor.drift import measure_drift
from mintage.monitor.evidence import Budget, CandidatePlan, DriftEvidence
from mintage.monitor.gain import candidate_scores, measure_gain
from mintage.monitor.labels import label_schema
from mintage.monitor.loss import Reference, measure_loss
from mintage.monitor.traffic import Traffic, join_traffic
from mintage.monitor.windows import bin_stream, count_days, even_day, mature_days, plan_candidate
from mintage.profile.counts import count
from mintage.profile.profile import SCORE

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
NONE = label_schema.empty_table()
BUDGET = Budget(false_alarms_per_year=1.0, streams=13)


@pytest.fixture(scope="module")
def march(flights: Flights) -> pl.DataFrame:
    return flights.between("2013-03-01", "2013-03-31").gather_every(10)


def _days(first: str, count: int) -> np.ndarray:
    return np.datetime64(first, "D") + np.arange(count)


def test_rows_of_another_model_or_of_the_future_are_left_out(flights: Flights, march: pl.DataFrame) -> None:
    log = flights.log(march)
    other = log.set_column(log.column_names.index("model_root"), "model_root", pa.array(["sha256:x"] * log.num_rows))
    middle = datetime(2013, 3, 11, tzinfo=UTC)
    traffic = join_traffic(pa.concat_tables([log, other]), NONE, root=CHAMPION, as_of=middle)
    assert len(traffic) == march.filter(pl.col("day") < "2013-03-11").height
    assert traffic.days.max() < np.datetime64("2013-03-11")


def test_a_row_logged_twice_counts_once_as_it_was_logged_last(flights: Flights, march: pl.DataFrame) -> None:
    log = flights.log(march)
    later = pa.compute.add(log["ts"], pa.scalar(timedelta(seconds=5)))
    again = log.set_column(log.column_names.index("ts"), "ts", later)
    again = again.set_column(log.column_names.index("score"), "score", pa.array(np.full(log.num_rows, 0.5)))
    traffic = join_traffic(pa.concat_tables([again, log]), NONE, root=CHAMPION, as_of=APRIL)
    assert (len(traffic), traffic.repeated) == (log.num_rows, log.num_rows)
    assert set(traffic.scores.tolist()) == {0.5}


def test_labels_meet_their_rows_whatever_the_order(
    flights: Flights, march: pl.DataFrame, labels_of: Callable[..., pa.Table]
) -> None:
    labels = labels_of(march.sample(fraction=0.5, seed=1, shuffle=True), "2013-03-31")
    ghost = pa.concat_tables([labels, labels_of(march.head(1).with_columns(flight_id=pl.lit("ghost")), "2013-03-31")])
    traffic = join_traffic(flights.log(march), ghost, root=CHAMPION, as_of=APRIL)
    truth = dict(zip(march["flight_id"].to_list(), march["late"].to_list(), strict=True))
    ids = traffic.table["request_id"].to_pylist()
    known = np.isfinite(traffic.labels)
    assert known.sum() == labels.num_rows
    assert traffic.unmatched == 1
    assert [truth[ids[i]] for i in np.flatnonzero(known)] == traffic.labels[known].tolist()


def test_an_event_without_a_time_is_dated_by_its_request(flights: Flights, march: pl.DataFrame) -> None:
    log = flights.log(march)
    empty = pa.nulls(log.num_rows, pa.timestamp("us"))
    untimed = log.set_column(log.column_names.index("event_time"), "event_time", empty)
    one = join_traffic(log, NONE, root=CHAMPION, as_of=APRIL)
    other = join_traffic(untimed, NONE, root=CHAMPION, as_of=APRIL)
    assert np.array_equal(one.days, other.days)


def test_a_log_without_its_columns_or_with_impossible_scores_is_refused(flights: Flights, march: pl.DataFrame) -> None:
    log = flights.log(march)
    with pytest.raises(TrafficInvalidError):
        join_traffic(log.drop_columns(["score"]), NONE, root=CHAMPION, as_of=APRIL)
    broken = log.set_column(log.column_names.index("score"), "score", pa.array(np.full(log.num_rows, 1.5)))
    with pytest.raises(TrafficInvalidError):
        join_traffic(broken, NONE, root=CHAMPION, as_of=APRIL)
    traffic = join_traffic(log.drop_columns(["f.humid"]), NONE, root=CHAMPION, as_of=APRIL)
    with pytest.raises(TrafficInvalidError):
        count_days(flights.profile, traffic)


def test_the_counts_of_all_days_add_up_to_those_of_the_profile_room(flights: Flights, march: pl.DataFrame) -> None:
    traffic = join_traffic(flights.log(march), NONE, root=CHAMPION, as_of=APRIL)
    counts = count_days(flights.profile, traffic)
    whole = count(flights.profile, columns_of(march), flights.log(march)["score"].to_numpy())
    assert len(counts.days) == 31
    for name, table in counts.streams.items():
        assert np.array_equal(table.sum(axis=0), whole.streams[name])


def test_missing_text_is_counted_as_null_and_new_text_as_other(flights: Flights, march: pl.DataFrame) -> None:
    log = flights.log(march)
    place = log.column_names.index("f.dest")
    changed = log.set_column(
        place, "f.dest", pa.array([None, "ZZZ"] * (log.num_rows // 2) + ["ZZZ"] * (log.num_rows % 2))
    )
    traffic = join_traffic(changed, NONE, root=CHAMPION, as_of=APRIL)
    stream = flights.profile.stream("dest")
    bins = np.bincount(bin_stream(stream, traffic), minlength=len(stream.total))
    assert bins[:-2].sum() == 0
    assert bins[-1] == log.num_rows // 2


def test_a_day_is_mature_when_it_is_old_and_nearly_all_its_labels_are_there() -> None:
    days = np.repeat(_days("2013-03-01", 3), 10)
    labels = np.where(np.arange(30) % 10 < 5, 1.0, np.nan)
    labels[:10], labels[20:] = 1.0, 0.0
    traffic = Traffic(
        days=days, scores=np.full(30, 0.5), labels=labels, table=pa.table({"x": range(30)}), repeated=0, unmatched=0
    )
    found = mature_days(traffic, as_of=np.datetime64("2013-03-03"), delay_days=1)
    assert found.mature.tolist() == [True, False, False]
    assert found.of(traffic).sum() == 10
    assert mature_days(traffic, as_of=np.datetime64("2013-03-04"), delay_days=1).mature.tolist() == [True, False, True]


def test_a_candidate_is_planned_for_days_that_neither_model_saw() -> None:
    known = _days("2013-06-01", 30)
    plan = plan_candidate(known, seen_until="2013-06-09", decides_on=even_day)
    assert plan == CandidatePlan(
        train_until="2013-05-31",
        labels_until="2013-06-30",
        evaluate_days=tuple(f"2013-06-{day}" for day in range(10, 31, 2)),
    )
    assert plan_candidate(known, seen_until="2013-07-01", decides_on=even_day) is None
    assert plan_candidate(known[:0], seen_until=None, decides_on=even_day) is None


def _drift(flights: Flights, rows: pl.DataFrame, as_of: datetime = APRIL) -> DriftEvidence:
    traffic = join_traffic(flights.log(rows), NONE, root=CHAMPION, as_of=as_of)
    drift, _ = measure_drift(
        flights.profile,
        count_days(flights.profile, traffic),
        materiality=0.02,
        budget=BUDGET,
        recent_from=np.datetime64("2013-03-01"),
        loss_shifts={},
    )
    return drift


def test_a_carrier_that_takes_over_is_named_first(flights: Flights, march: pl.DataFrame) -> None:
    changed = march.with_columns(
        carrier=pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("VX")).otherwise(pl.col("carrier"))
    )
    drift = _drift(flights, changed)
    assert drift.named("moved")[:1] == ("carrier",)
    carrier = drift.streams[0]
    assert carrier.gained[0] == "VX"
    assert carrier.gained[2] > 0.3
    assert carrier.since is not None


def test_a_category_that_the_reference_never_saw_and_a_column_that_went_missing_are_found(
    flights: Flights, march: pl.DataFrame
) -> None:
    half = pl.int_range(pl.len()) % 2 == 0
    drift = _drift(
        flights,
        march.with_columns(
            dest=pl.when(half).then(pl.lit("ZZZ")).otherwise(pl.col("dest")),
            distance=pl.when(half).then(None).otherwise(pl.col("distance")),
        ),
    )
    moved = {stream.name: stream.gained[0] for stream in drift.streams if stream.status == "moved"}
    assert moved["dest"] == "other"
    assert moved["distance"] == "null"


def test_march_itself_is_steady(flights: Flights, march: pl.DataFrame) -> None:
    drift = _drift(flights, march)
    assert drift.named("moved") == drift.named("suspected") == ()
    assert {stream.name for stream in drift.streams} == {*TEXT, *NUMBERS, SCORE}


def test_without_traffic_there_is_no_evidence(flights: Flights, march: pl.DataFrame) -> None:
    drift = _drift(flights, march, datetime(2013, 3, 1, tzinfo=UTC))
    assert (drift.recent, drift.rows) == (None, 0)
    assert all(stream.log_evidence is None and stream.effect == 0 for stream in drift.streams)


def _loss(before: float, after: float, spread: float) -> float | None:
    """Log evidence of days whose loss has these means, by the Brier loss of a constant score."""
    rng = np.random.default_rng(1)
    days = np.repeat(_days("2013-03-01", 60), 50)
    levels = np.clip(rng.normal(after, spread, 60), 0, 1).repeat(50)
    old = np.clip(rng.normal(before, spread, 20), 0, 1).repeat(50)
    found = measure_loss(
        Reference(scores=np.sqrt(old), labels=np.zeros(len(old)), groups=np.repeat(np.arange(20), 50)),
        loss="brier",
        days=days,
        scores=np.sqrt(levels),
        labels=np.zeros(len(days)),
        recent_from=np.datetime64("2013-03-01"),
        budget=BUDGET,
        seed=1,
        draws=400,
    )
    assert found is not None
    return found.log_evidence


def test_a_loss_that_doubles_is_evidence_and_one_that_stays_is_not() -> None:
    risen, same = _loss(0.2, 0.4, 0.03), _loss(0.2, 0.2, 0.03)
    assert risen is not None
    assert same is not None
    assert risen > BUDGET.alarm > BUDGET.suspicion > same


def test_the_gain_of_a_better_candidate_is_found_and_few_days_are_not_enough() -> None:
    rng = np.random.default_rng(2)
    days = np.repeat(_days("2013-06-01", 20), 100)
    champion = rng.exponential(0.5, 2000) + rng.normal(0, 0.1, 20).repeat(100)
    plan = CandidatePlan(train_until="2013-05-31", labels_until="2013-06-20", evaluate_days=("2013-06-01",))

    def gain(rows: slice) -> tuple[float, bool]:
        found = measure_gain(
            candidate="c",
            plan=plan,
            champion_losses=champion[rows],
            candidate_losses=champion[rows] - rng.normal(0.05, 0.02, 2000)[rows],
            days=days[rows],
            seed=1,
            draws=4000,
        )
        return found.lower, found.sufficient

    lower, sufficient = gain(slice(None))
    assert 0.045 < lower < 0.05
    assert sufficient
    assert not gain(slice(0, 500))[1]


def test_a_candidate_that_gives_no_probabilities_is_refused() -> None:
    class Broken:
        identity = "broken"

        def score(self, columns: object) -> np.ndarray:
            return np.array([0.5, np.nan])

    with pytest.raises(CandidateInvalidError):
        candidate_scores(Broken(), {}, 2)
    with pytest.raises(CandidateInvalidError):
        candidate_scores(Broken(), {}, 3)


def test_a_shift_towards_costly_bins_is_charged_to_its_stream() -> None:
    bins, losses = np.array([0, 1, 1, 1]), np.array([0.1, 0.9, 0.9, 0.9])
    assert loss_shift(np.array([50, 50]), bins, losses) == pytest.approx(0.25 * 0.8)
    assert loss_shift(np.array([25, 75]), bins, losses) == pytest.approx(0)


def test_rows_of_traffic_can_be_chosen_and_keep_their_columns(flights: Flights, march: pl.DataFrame) -> None:
    traffic = join_traffic(flights.log(march), NONE, root=CHAMPION, as_of=APRIL)
    first = traffic.only(traffic.days == np.datetime64("2013-03-01"))
    columns = first.inputs(["dest", "humid"])
    assert len(first) == len(columns["dest"]) == len(columns["humid"])
    assert columns["dest"].dtype == object
    assert columns["humid"].dtype == np.float64
    assert replace(first, repeated=3).repeated == 3
