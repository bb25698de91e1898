"""Exact limits: shares counted in trials, quantiles from order statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mintage.stats.binomial import clopper_pearson, wilson
from mintage.stats.quantile import fewest_observations, lower_limit, lower_rank, upper_limit, upper_rank


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_of_a_share_equal_those_of_scipy(counted: tuple[int, int]) -> None:
    hits, trials = counted
    test = stats.binomtest(hits, trials)
    for own, method in ((clopper_pearson(hits, trials), "exact"), (wilson(hits, trials), "wilson")):
        other = test.proportion_ci(0.95, method=method)
        assert (own.low, own.high) == pytest.approx((other.low, other.high), abs=1e-9)


def test_a_share_of_nothing_is_refused() -> None:
    for hits, trials in ((0, 0), (3, 2), (-1, 5)):
        with pytest.raises(ValueError, match="no share"):
            clopper_pearson(hits, trials)


def test_known_ranks_of_the_99th_percentile() -> None:
    assert upper_rank(1000, 0.99) == 996
    assert upper_rank(10_000, 0.99) == 9917
    assert (upper_rank(298, 0.99), upper_rank(299, 0.99)) == (None, 299)
    assert fewest_observations(0.99) == 299


@given(st.integers(1, 400), st.floats(0.05, 0.95), st.sampled_from([0.9, 0.95, 0.975]))
def test_ranks_are_the_tightest_with_the_confidence_asked(n: int, q: float, confidence: float) -> None:
    upper, lower = upper_rank(n, q, confidence), lower_rank(n, q, confidence)
    below = stats.binom(n, q)
    if upper is None:
        assert n < fewest_observations(q, confidence)
    else:
        assert below.cdf(upper - 1) >= confidence - 1e-12
        assert upper == 1 or below.cdf(upper - 2) < confidence + 1e-12
    if lower is not None:
        assert below.sf(lower - 1) >= confidence - 1e-12


def test_limits_cover_the_quantile_and_are_infinite_without_enough_samples() -> None:
    rng = np.random.default_rng(1)
    truth = -math.log(0.01)
    covered = sum(upper_limit(rng.exponential(size=400), 0.99) >= truth for _ in range(1000))
    assert covered >= 935
    assert upper_limit([1.0, 2.0], 0.99) == math.inf
    assert lower_limit([1.0, 2.0], 0.01) == -math.inf
    with pytest.raises(ValueError, match="not a quantile"):
        upper_limit([1.0], 1.0)
