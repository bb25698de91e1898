"""The judge of canaries, by simulation: it may be asked after every day, so that is what is simulated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mintage.release.judge import judge
from mintage.stats.sequential import Block

ALPHA, MARGIN, RUNS, DAYS = 0.05, 0.02, 60, 25


def days(rng, *, champion, challenger, rows=1500, share=0.3):
    """Days whose weather moves the failure rate of both arms together."""
    found = []
    for weather in rng.normal(0, 0.03, DAYS):
        canary = round(rows * share)
        stable = rows - canary
        rates = (float(np.clip(rate + weather, 0, 1)) for rate in (champion, challenger))
        failed = [int(rng.binomial(size, rate)) for size, rate in zip((stable, canary), rates, strict=True)]
        found.append(
            Block(stable_rows=stable, stable_failures=failed[0], canary_rows=canary, canary_failures=failed[1])
        )
    return found


def first_decisions(*, champion, challenger):
    """What someone who asks after every third day acts on first, in each of ``RUNS`` simulated canaries."""
    actions = []
    for seed in range(RUNS):
        blocks = days(np.random.default_rng(seed), champion=champion, challenger=challenger)
        asked = (judge(blocks[:count], alpha=ALPHA, margin=MARGIN).action for count in range(1, DAYS + 1, 3))
        actions.append(next((action for action in asked if action != "hold"), "hold"))
    return {action: actions.count(action) / RUNS for action in ("promote", "hold", "rollback")}


def test_an_equal_challenger_is_rarely_rolled_back_however_often_it_is_looked_at():
    found = first_decisions(champion=0.25, challenger=0.25)
    assert found["rollback"] <= ALPHA + 0.05
    assert found["promote"] >= 0.5


def test_a_challenger_that_is_worse_by_the_margin_is_rarely_promoted():
    assert first_decisions(champion=0.25, challenger=0.25 + MARGIN)["promote"] <= ALPHA + 0.05


def test_a_challenger_that_is_much_worse_is_rolled_back():
    found = first_decisions(champion=0.25, challenger=0.40)
    assert found["rollback"] >= 0.95 and found["promote"] == 0


def test_a_better_challenger_is_promoted():
    assert first_decisions(champion=0.25, challenger=0.22)["promote"] >= 0.9


@given(rows=st.integers(0, 5000), wrong=st.floats(0, 1))
@settings(max_examples=30)
def test_without_outcomes_of_the_canary_it_is_held_whatever_the_champion_does(rows, wrong):
    block = Block(stable_rows=rows, stable_failures=round(rows * wrong), canary_rows=0, canary_failures=0)
    verdict = judge([block] * 9, alpha=ALPHA, margin=MARGIN)
    assert verdict.action == "hold" and verdict.challenger_wrong is None
    assert "no prediction of the canary has a label yet" in verdict.sentence


@pytest.mark.parametrize(("champion", "challenger"), [(200, 40), (200, 120), (200, 50)])
def test_the_verdict_gives_its_numbers(champion, challenger):
    day = Block(stable_rows=800, stable_failures=champion, canary_rows=200, canary_failures=challenger)
    verdict = judge([day] * 40, alpha=ALPHA, margin=MARGIN)
    assert verdict.rows == 8000
    assert (verdict.champion_wrong, verdict.challenger_wrong) == (champion / 800, challenger / 200)
    assert (verdict.action == "rollback") == (verdict.evidence_harm >= 1 / ALPHA)
    assert verdict.action != "promote" or verdict.evidence_noninferior >= 1 / ALPHA
