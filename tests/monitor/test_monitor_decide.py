"""The rule of the decision, case by case."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.monitor.decide import decide
from mintage.monitor.evidence import (
    Action,
    Budget,
    CandidatePlan,
    Decision,
    DriftEvidence,
    Gain,
    LossChange,
    LossEvidence,
    Stakes,
    Status,
    StreamEvidence,
)
from mintage.stats.interval import Interval

STAKES = Stakes(
    currency="USD", loss_unit=1.0, horizon_predictions=28000, retrain={"compute": 5.0, "review": 275.0}, declared=True
)


def _stream(name: str, status: Status) -> StreamEvidence:
    return StreamEvidence(
        name=name,
        status=status,
        log_evidence=1.0,
        now=1.0,
        since=None,
        effect=0.2,
        gained=("over", 0.0, 0.1),
        lost=("under", 0.1, 0.0),
        loss_shift=None,
        clustering=0.0,
        reference_worth=500.0,
        radius=0.02,
    )


def _drift(**streams: Status) -> DriftEvidence:
    return DriftEvidence(
        streams=tuple(_stream(name, status) for name, status in streams.items()),
        days=31,
        rows=1000,
        recent=("2013-07-01", "2013-07-31"),
        reference_groups=7,
    )


def _loss(status: Status) -> LossEvidence:
    return LossEvidence(
        status=status,
        log_evidence=1.0,
        loss="log_loss",
        rows=100,
        days=("2013-06-01",),
        mean=0.6,
        interval=None,
        reference=0.5,
        reference_interval=None,
        bound=0.55,
        change=LossChange(mix=0.0, within=0.1),
    )


def _gain(estimate: float, lower: float, *, sufficient: bool = True) -> Gain:
    return Gain(
        candidate="c",
        plan=CandidatePlan(train_until="2013-05-31", labels_until="2013-06-30", evaluate_days=("2013-06-02",)),
        rows=1000,
        days=15,
        champion_loss=0.6,
        candidate_loss=0.6 - estimate,
        estimate=estimate,
        lower=lower,
        interval=Interval(low=lower - 0.001, high=estimate + 0.01, confidence=0.95),
        sufficient=sufficient,
    )


def _decide(
    drift: DriftEvidence, loss: LossEvidence | None, gain: Gain | None, open_retrain: str | None = None
) -> Decision:
    return decide(drift=drift, loss=loss, gain=gain, no_gain=None, stakes=STAKES, open_retrain=open_retrain)


STEADY, SUSPECTED, MOVED = _drift(humid="steady"), _drift(humid="suspected"), _drift(humid="moved")


@pytest.mark.parametrize(
    ("drift", "loss", "gain", "action"),
    [
        (STEADY, None, None, "none"),
        (STEADY, _loss("steady"), _gain(0.03, 0.02), "retrain"),
        (STEADY, None, _gain(0.03, 0.0101), "retrain"),
        (STEADY, None, _gain(0.03, 0.0099), "none"),
        (SUSPECTED, None, _gain(0.03, 0.0099), "warn"),
        (STEADY, _loss("suspected"), _gain(0.03, 0.0099), "warn"),
        (SUSPECTED, None, _gain(0.009, 0.0), "none"),
        (SUSPECTED, None, None, "none"),
        (MOVED, None, None, "warn"),
        (MOVED, None, _gain(-0.01, -0.02), "warn"),
        (STEADY, _loss("moved"), None, "warn"),
        (MOVED, _loss("moved"), _gain(0.03, 0.02), "retrain"),
        (STEADY, None, _gain(0.03, 0.02, sufficient=False), "none"),
        (SUSPECTED, None, _gain(0.03, 0.02, sufficient=False), "warn"),
    ],
)
def test_the_action_follows_from_gain_cost_and_evidence(
    drift: DriftEvidence, loss: LossEvidence | None, gain: Gain | None, action: Action
) -> None:
    assert _decide(drift, loss, gain).action == action


@given(st.floats(-0.05, 0.05), st.floats(0, 0.05), st.sampled_from([STEADY, SUSPECTED, MOVED]))
def test_retrain_is_said_exactly_when_the_lower_limit_exceeds_the_cost(
    estimate: float, width: float, drift: DriftEvidence
) -> None:
    gain = _gain(estimate, estimate - width)
    assert (_decide(drift, None, gain).action == "retrain") == (gain.lower > STAKES.per_prediction)
    assert _decide(drift, None, gain, "branch x").action != "retrain"


def test_the_decision_says_what_would_change_it() -> None:
    close = _decide(STEADY, None, _gain(0.03, 0.008))
    assert "it is 0.0080" in close.would_change[0]
    assert "under 224 USD" in close.would_change[1]
    assert "over 35,000 predictions" in close.would_change[1]
    assert "over 560 USD" in _decide(STEADY, None, _gain(0.03, 0.02)).would_change[0]


@pytest.mark.parametrize("lower", [5e-324, 1e-300])
def test_a_gain_that_hardly_is_one_takes_a_long_horizon_and_no_error(lower: float) -> None:
    decision = _decide(STEADY, _loss("steady"), _gain(2e-300, lower))
    assert decision.action == "none"
    assert any("1,000,000,000,000,000 predictions" in text for text in decision.would_change)


def test_undeclared_costs_are_said_to_be_assumed() -> None:
    free = msgspec.structs.replace(STAKES, retrain={}, declared=False)
    decision = decide(drift=STEADY, loss=None, gain=_gain(0.001, 0.0001), no_gain=None, stakes=free, open_retrain=None)
    assert decision.action == "retrain"
    assert any("none are declared" in text for text in decision.would_change)


def test_streams_that_moved_are_named() -> None:
    decision = _decide(_drift(humid="moved", dest="moved", origin="steady"), None, None)
    assert decision.sentence.startswith("Look at humid, dest:")
    assert "origin" not in decision.sentence


def test_the_thresholds_follow_the_declared_false_alarms() -> None:
    strict, loose = (Budget(false_alarms_per_year=rate, streams=13) for rate in (0.5, 12.0))
    assert strict.alarm > loose.alarm > 0
    assert strict.suspicion < strict.alarm
    assert strict.status(None) == "steady"
    assert strict.status(strict.alarm) == "moved"
    assert strict.status(strict.suspicion) == "suspected"
