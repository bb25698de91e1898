"""Evidence from counts: right size when nothing changed, quick when something did, exact where it is exact."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

from mintage.stats.counts import (
    clustering,
    coarsen,
    effective_counts,
    js_distance,
    kl_divergence,
    log_e_counts,
    log_e_detector,
    reference_distribution,
    reference_radius,
)


def _days(rng: np.random.Generator, days: int, rows: int, icc: float = 0.0, memory: float = 0.0) -> np.ndarray:
    """Counts by day of a normal value, ten bins, whose days have a common part that remembers the day before."""
    effect, current = np.zeros(days), rng.normal()
    for day in range(days):
        effect[day] = current
        current = memory * current + math.sqrt(1 - memory**2) * rng.normal()
    values = math.sqrt(icc) * effect[:, None] + math.sqrt(1 - icc) * rng.normal(size=(days, rows))
    edges = np.array([-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28])
    return np.array([np.bincount(np.searchsorted(edges, day), minlength=10) for day in values])


def _highest(reference: np.ndarray, windows: np.ndarray, materiality: float = 0.0) -> float:
    rho = clustering(reference, windows)
    shares, worth = reference_distribution(reference, rho)
    radius = materiality + reference_radius(len(shares), worth, error=0.05)
    return float(log_e_detector(effective_counts(windows, rho), shares, radius=radius).max())


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_e_value_of_counts_has_expectation_at_most_one_for_every_point_of_the_ball(rows: int) -> None:
    reference = np.array([0.5, 0.3, 0.2])
    radius = 0.02
    samples = [c for c in itertools.product(range(rows + 1), repeat=3) if sum(c) == rows]
    e = np.exp(log_e_counts(np.array(samples, dtype=float), reference, radius=radius))
    rng = np.random.default_rng(1)
    points = [reference] + [p for p in rng.dirichlet(30 * reference, 500) if kl_divergence(reference, p) <= radius]
    for p in points:
        log_chance = [gammaln(rows + 1) - sum(gammaln(n + 1) for n in c) + np.dot(c, np.log(p)) for c in samples]
        assert np.dot(np.exp(log_chance), e) <= 1 + 1e-9


@given(st.lists(st.integers(0, 400), min_size=4, max_size=4), st.floats(1e-4, 0.5))
def test_no_distribution_in_the_ball_is_likelier_than_the_denominator_assumes(counts: list[int], radius: float) -> None:
    reference = np.array([0.4, 0.3, 0.2, 0.1])
    n = np.array(counts, dtype=float)
    prior = [c * 4 * reference for c in (0.5, 5.0, 50.0)]
    marginal = [gammaln(a.sum()) - gammaln(a.sum() + n.sum()) + (gammaln(a + n) - gammaln(a)).sum() for a in prior]
    best = np.logaddexp.reduce(marginal) - math.log(3) - float(log_e_counts(n, reference, radius=radius))
    rng = np.random.default_rng(sum(counts))
    for p in rng.dirichlet(np.full(4, 5.0), 200):
        if kl_divergence(reference, p) <= radius:
            assert np.dot(n, np.log(p)) <= best + 1e-6


def test_a_day_that_counts_as_one_is_safe_whatever_happens_within_it() -> None:
    """Every day is all one bin; the e-value must still average at most one."""
    rng = np.random.default_rng(2)
    reference = np.array([0.6, 0.4])
    days = np.eye(2)[(rng.random((4000, 10)) < 0.4).astype(int)] * 500
    weighted = np.array([effective_counts(sample, 1.0).sum(axis=0) for sample in days])
    assert np.allclose(weighted.sum(axis=1), 10)
    assert np.exp(log_e_counts(weighted, reference, radius=0.0)).mean() < 1.05


@pytest.mark.parametrize(("icc", "memory"), [(0.0, 0.0), (0.02, 0.5), (0.2, 0.0), (0.2, 0.7), (0.6, 0.7)])
def test_a_year_without_change_raises_no_alarm_even_if_days_stick_together(icc: float, memory: float) -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(12):
        counts = _days(rng, 372, 300, icc, memory)
        alarms += _highest(counts[:7], counts[7:]) >= math.log(365)
    assert alarms <= 1


def test_a_quarter_of_a_standard_deviation_is_found_within_three_weeks_of_independent_rows() -> None:
    rng = np.random.default_rng(4)
    reference = _days(rng, 20, 1000)
    edges = np.array([-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28])
    shifted = [np.bincount(np.searchsorted(edges, rng.normal(0.25, 1, 1000)), minlength=10) for _ in range(21)]
    assert _highest(reference, np.array([*_days(rng, 30, 1000), *shifted])) > math.log(365 * 20)


def test_a_change_within_the_material_radius_is_never_evidence() -> None:
    rng = np.random.default_rng(5)
    reference = np.full(5, 0.2)
    near = np.array([0.22, 0.2, 0.2, 0.2, 0.18])
    radius = float(kl_divergence(reference, near)) * 1.01
    windows = rng.multinomial(1000, near, 300)
    assert log_e_detector(windows, reference, radius=radius).max() < math.log(365)


def test_counts_add_so_that_replicas_give_the_same_evidence_to_the_bit() -> None:
    rng = np.random.default_rng(6)
    parts = [_days(rng, 30, 100) for _ in range(3)]
    reference = np.full(10, 0.1)
    one = log_e_detector(parts[0] + parts[1] + parts[2], reference, radius=0.01)
    other = log_e_detector(parts[2] + (parts[1] + parts[0]), reference, radius=0.01)
    assert np.array_equal(one, other)


def test_a_reference_that_never_varied_tells_nothing_about_its_days() -> None:
    constant = np.zeros((7, 3)) + np.array([500, 0, 0])
    assert clustering(constant, constant[:5]) >= 1
    assert clustering(constant[:1], constant[:5]) >= 1


def test_one_lasting_change_of_the_mean_does_not_pass_for_rows_that_stick_together() -> None:
    rng = np.random.default_rng(7)
    before = rng.multinomial(1000, [0.25, 0.25, 0.25, 0.25], 60)
    after = rng.multinomial(1000, [0.4, 0.2, 0.2, 0.2], 60)
    assert clustering(before[:20], np.vstack([before[20:], after])) < 0.02


def test_with_little_evidence_bins_are_merged_and_none_is_lost() -> None:
    reference = np.random.default_rng(8).dirichlet(np.ones(40))
    few, many = coarsen(reference, 45.0), coarsen(reference, 1e6)
    assert few.max() + 1 <= 4
    assert many.max() + 1 <= 12
    assert np.array_equal(np.unique(few), np.arange(few.max() + 1))
    assert np.array_equal(coarsen(np.full(3, 1 / 3), 1.0), np.arange(3))


def test_an_empty_reference_gives_no_evidence_at_all() -> None:
    shares, worth = reference_distribution(np.zeros((4, 3)), 0.0)
    assert (worth, reference_radius(3, worth, error=0.05)) == (0.0, math.inf)
    assert log_e_counts(np.array([9.0, 0.0, 0.0]), shares, radius=math.inf) == 0


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_the_effect_size_is_symmetric_and_between_zero_and_one(a: list[float], b: list[float]) -> None:
    p, q = np.array(a) / sum(a), np.array(b) / sum(b)
    assert js_distance(p, q) == pytest.approx(js_distance(q, p))
    assert 0 <= js_distance(p, q) <= 1
    assert js_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1)
