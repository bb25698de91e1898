"""The rule of verdicts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.certify.judge import Gate, Judged, judge, overall, settles_at
from mintage.stats.interval import Interval

numbers = st.floats(-10, 10)
gates = st.builds(Gate, direction=st.sampled_from(["at_least", "above", "at_most"]), threshold=numbers)
intervals = st.tuples(numbers, numbers).map(lambda ends: Interval(low=min(ends), high=max(ends), confidence=0.95))
verdicts = st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE"])
judged = st.builds(Judged, severity=st.sampled_from(["must", "should", "note"]), verdict=verdicts)


@given(intervals, gates, numbers)
def test_pass_means_that_every_value_of_the_interval_meets_the_gate_and_fail_that_none_does(
    interval: Interval, gate: Gate, value: float
) -> None:
    verdict = judge(interval, gate)
    if interval.contains(value):
        assert verdict != "PASS" or gate.met_by(value)
        assert verdict != "FAIL" or not gate.met_by(value)
    if verdict == "INCONCLUSIVE":
        assert gate.met_by(interval.low) != gate.met_by(interval.high)


@given(intervals, gates, st.floats(0, 5))
def test_a_wider_interval_never_turns_an_open_question_into_an_answer(
    interval: Interval, gate: Gate, more: float
) -> None:
    wider = Interval(low=interval.low - more, high=interval.high + more, confidence=0.95)
    assert judge(wider, gate) in (judge(interval, gate), "INCONCLUSIVE")


def test_no_improvement_is_not_above_zero() -> None:
    nothing = Interval(low=0.0, high=0.0, confidence=0.95)
    assert judge(nothing, Gate(direction="above", threshold=0.0)) == "FAIL"
    assert judge(nothing, Gate(direction="at_least", threshold=0.0)) == "PASS"


def test_an_interval_with_nan_has_no_verdict() -> None:
    with pytest.raises(ValueError, match="NaN"):
        judge(Interval(low=math.nan, high=1.0, confidence=0.95), Gate(direction="at_least", threshold=0.0))


@given(st.lists(judged, max_size=6), st.sampled_from(["block", "allow"]))
def test_one_verdict_passes_only_if_no_required_one_stands_against_it(results: list[Judged], rule: str) -> None:
    required = {item.verdict for item in results if item.severity == "must"}
    found = overall(results, inconclusive="block" if rule == "block" else "allow")
    assert (found == "FAIL") == ("FAIL" in required)
    assert (found == "PASS") == (not required & ({"FAIL", "INCONCLUSIVE"} if rule == "block" else {"FAIL"}))


def test_the_count_that_settles_shrinks_the_interval_to_the_threshold() -> None:
    gate = Gate(direction="at_least", threshold=0.60)
    interval = Interval(low=0.55, high=0.75, confidence=0.95)
    assert settles_at(0.65, interval, gate, 10) == 40
    assert settles_at(0.60, interval, gate, 10) is None
    assert settles_at(0.6000001, interval, gate, 10) is None


@given(st.floats(0.2, 0.8), st.floats(0.001, 0.3), st.floats(0.001, 0.3), st.integers(2, 200), gates)
def test_more_groups_are_asked_for_than_there_are(
    estimate: float, below: float, above: float, count: int, gate: Gate
) -> None:
    needed = settles_at(estimate, Interval(low=estimate - below, high=estimate + above, confidence=0.95), gate, count)
    assert needed is None or needed > count
