"""200 rounds of tuning on pure noise: a naive gate passes, an opening of a sealed hold-out never does.

Whoever tunes sees what the gate says. A naive gate shows the figure, and greedy tuning turns the figures into a model
that fits the hold-out's noise. A sealed hold-out says "not passed", which teaches nothing, and each opening takes its
share of the policy's confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from certify_evidence import binary, make_evidence
from numpy.typing import NDArray

from mintage.certify.certify import Outcome, certify
from mintage.certify.evidence import Evidence, Split
from mintage.certify.holdout_use import HoldoutUse, SealedUse
from mintage.certify.policy import parse_policy

ROUNDS, ROWS, FLOOR = 200, 400, 0.55
POLICY = b"""
model: late
owner: risk@example.org
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: %s}
"""
POLICIES = {floor: parse_policy(POLICY % str(floor).encode(), where="policies/late.yaml") for floor in (0.5, FLOOR)}
Floats = NDArray[np.float64]


@dataclass
class Noise:
    """Labels of which no input knows anything, and what is judged on them."""

    evidence: Evidence
    rng: np.random.Generator

    def judge(self, scores: Floats, *, floor: float, opening: int | None) -> Outcome:
        split = self.evidence.holdout
        holdout = Split(name="hold-out", columns=split.columns, labels=split.labels, answers=binary(squash(scores)))
        sealed = opening and SealedUse(seal="s", number=opening, budget=ROUNDS, holder="ben", committed="c")
        use = HoldoutUse(digest="b3:0", models=1, looks=1, sealed=sealed or None)
        return certify(replace(self.evidence, holdout=holdout, native=None), POLICIES[floor], use=use)

    def tune(self, judged: Callable[[Floats, int], tuple[float, bool]]) -> tuple[int, float]:
        """Greedy: keep a change where the gate's answer got better. Returns the passes and the best answer."""
        best, kept, passes = -np.inf, np.zeros(ROWS), 0
        for number in range(1, ROUNDS + 1):
            tried = kept + self.rng.normal(size=ROWS)
            figure, passed = judged(tried, number)
            passes += passed
            if figure > best:
                best, kept = figure, tried
        return passes, best


def squash(scores: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-scores / 10)), dtype=np.float64)


def auc_of(outcome: Outcome) -> float:
    (result,) = outcome.results
    assert result.estimate is not None
    return result.estimate


@pytest.fixture(params=[1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4, 5))])
def noise(request: pytest.FixtureRequest) -> Noise:
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 2, size=ROWS)
    base = make_evidence(train_days=2, days=1, rows=ROWS, latency=None, native=None, group_key=None)
    columns = {name: column[:ROWS] for name, column in base.holdout.columns.items()}
    split = Split(name="hold-out", columns=columns, labels=labels, answers=binary(rng.random(ROWS)))
    return Noise(evidence=replace(base, holdout=split), rng=rng)


def test_a_naive_gate_that_shows_its_figure_passes_noise(noise: Noise) -> None:
    def naive(scores: Floats, number: int) -> tuple[float, bool]:
        figure = auc_of(noise.judge(scores, floor=FLOOR, opening=None))
        return figure, figure >= FLOOR

    passes, best = noise.tune(naive)
    assert passes > 100 and best > 0.65


def test_a_sealed_hold_out_never_passes_noise_not_even_at_the_floor_that_noise_has(noise: Noise) -> None:
    def sealed(scores: Floats, number: int) -> tuple[float, bool]:
        passed = noise.judge(scores, floor=0.5, opening=number).verdict == "PASS"
        return float(passed), passed

    assert noise.tune(sealed) == (0, 0.0)


@pytest.mark.slow
def test_shown_figures_would_get_noise_through_even_at_that_confidence(noise: Noise) -> None:
    def leaking(scores: Floats, number: int) -> tuple[float, bool]:
        outcome = noise.judge(scores, floor=FLOOR, opening=number)
        return auc_of(outcome), outcome.verdict == "PASS"

    assert noise.tune(leaking)[0] > 0
