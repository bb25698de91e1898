"""The loop's own story on real flights: labels a month late, a look on the first of each month, one retrain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from monitor_flights import CHAMPION, Flights

from mintage.monitor.labels import label_schema
from mintage.monitor.result import MonitorResult, decode_decision
from mintage.monitor.watch import WatchInputs, watch
from mintage.record.envelope import encode

LOOKS = ("2013-04-01", "2013-05-01", "2013-06-01", "2013-07-01", "2013-08-01")
LABELS = {
    "2013-05-01": ("2013-03-01", "2013-03-31"),
    "2013-06-01": ("2013-04-01", "2013-04-30"),
    "2013-07-01": ("2013-05-01", "2013-05-31"),
    "2013-08-01": ("2013-06-01", "2013-06-30"),
}


@pytest.fixture(scope="module")
def look(flights: Flights, labels_of: Callable[..., pa.Table]) -> Callable[..., MonitorResult]:
    """A look at a date; all labels are handed in, the later ones must not be used."""
    log = flights.log(flights.between("2013-03-01", "2013-07-31"))
    labels = pa.concat_tables([labels_of(flights.between(*span), when) for when, span in LABELS.items()])
    done: dict[tuple[str, str | None], MonitorResult] = {}

    def run(as_of: str, open_retrain: str | None = None) -> MonitorResult:
        key = (as_of, open_retrain)
        if key not in done:
            done[key] = watch(
                WatchInputs(
                    spec=flights.spec,
                    root=CHAMPION,
                    profile=flights.profile,
                    reference=flights.reference,
                    predictions=log,
                    labels=labels,
                    as_of=as_of,
                    seen_until="2013-02-28",
                    make_candidate=flights.trained_until,
                    open_retrain=open_retrain,
                )
            )
        return done[key]

    return run


def test_the_first_look_that_says_retrain_is_on_the_first_of_august(look: Callable[..., MonitorResult]) -> None:
    actions = {as_of: look(as_of).decision.action for as_of in LOOKS}
    assert actions.pop("2013-08-01") == "retrain"
    assert set(actions.values()) <= {"none", "warn"}


def test_without_a_matured_label_no_candidate_is_trained(look: Callable[..., MonitorResult]) -> None:
    first = look("2013-04-01")
    assert (first.gain, first.loss, first.labels.labelled) == (None, None, 0)
    assert "no day that the champion has not seen has mature labels" in first.decision.reasons[0]


@pytest.mark.parametrize(
    ("as_of", "trained", "estimate"),
    [
        ("2013-05-01", "2013-03-01", 0.004),
        ("2013-06-01", "2013-03-31", 0.006),
        ("2013-07-01", "2013-05-01", 0.020),
        ("2013-08-01", "2013-05-31", 0.033),
    ],
)
def test_the_gain_of_a_candidate_grows_over_the_months(
    look: Callable[..., MonitorResult], as_of: str, trained: str, estimate: float
) -> None:
    gain = look(as_of).gain
    assert gain is not None
    assert gain.plan.train_until == trained
    assert gain.estimate == pytest.approx(estimate, abs=0.001)
    assert gain.interval.low <= gain.lower <= gain.estimate <= gain.interval.high
    assert all(int(day[-2:]) % 2 == 0 and day > trained for day in gain.plan.evaluate_days)


def test_the_retrain_states_its_gain_and_costs_in_money(look: Callable[..., MonitorResult]) -> None:
    decision = look("2013-08-01").decision
    assert decision.cost == 280
    assert decision.cost_per_prediction == pytest.approx(0.01)
    assert decision.gain_lower is not None
    assert decision.gain_lower > decision.cost_per_prediction
    assert decision.expected is not None
    assert decision.expected[0] == pytest.approx(28000 * (decision.gain_per_prediction or 0))
    assert decision.net == pytest.approx(decision.expected[0] - 280)
    assert "Over 28,000 predictions" in decision.sentence
    assert "horizon under" in decision.would_change[0]


def test_a_retrain_under_way_is_waited_for(look: Callable[..., MonitorResult]) -> None:
    decision = look("2013-08-01", "branch retrain-late").decision
    assert decision.action == "warn"
    assert "branch retrain-late" in decision.sentence


def test_a_week_of_reference_days_is_said_to_be_too_few_for_weather(look: Callable[..., MonitorResult]) -> None:
    july = look("2013-07-01")
    by_name = {stream.name: stream for stream in july.drift.streams}
    assert july.drift.reference_groups == 7
    assert by_name["humid"].reference_worth < 10
    assert by_name["dest"].reference_worth > 5000
    assert july.drift.streams[0].effect >= july.drift.streams[1].effect
    assert any("More reference days" in text and "humid" in text for text in july.decision.would_change)


def test_the_change_of_the_loss_is_told_apart_into_scores_and_truth(look: Callable[..., MonitorResult]) -> None:
    loss = look("2013-08-01").loss
    assert loss is not None
    assert loss.mean - loss.reference == pytest.approx(loss.change.mix + loss.change.within)
    assert loss.change.within > 10 * abs(loss.change.mix)
    assert loss.interval is not None
    assert loss.interval.high - loss.interval.low > 0.05


def test_courses_are_ready_to_be_drawn(look: Callable[..., MonitorResult], flights: Flights) -> None:
    course = look("2013-08-01").course
    assert [point.period for point in course.loss_by_month] == ["2013-03", "2013-04", "2013-05", "2013-06"]
    assert all(point.low is not None and point.low < point.mean < (point.high or 0) for point in course.loss_by_month)
    assert {point.stream for point in course.drift} == {stream.name for stream in flights.profile.streams}
    assert len(course.days) == 153
    assert sum(point.mature for point in course.days) == 122


def test_a_look_can_be_kept_as_a_record_and_read_back(look: Callable[..., MonitorResult]) -> None:
    result = look("2013-08-01")
    record = result.to_record(upstream=(CHAMPION,))
    assert (record.kind, record.upstream) == ("decision", (CHAMPION,))
    assert decode_decision(encode(record)) == result


def test_the_same_inputs_give_the_same_result(look: Callable[..., MonitorResult], flights: Flights) -> None:
    first = look("2013-04-01")
    again = watch(
        WatchInputs(
            spec=flights.spec,
            root=CHAMPION,
            profile=flights.profile,
            reference=flights.reference,
            predictions=_shuffled(flights.log(flights.between("2013-03-01", "2013-07-31"))),
            labels=label_schema.empty_table(),
            as_of="2013-04-01",
            seen_until="2013-02-28",
            make_candidate=None,
        )
    )
    assert again.drift == first.drift
    assert again.course.drift == first.course.drift


def _shuffled(table: pa.Table) -> pa.Table:
    return table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
