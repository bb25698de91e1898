"""Resampling of groups: reproducible weights, and intervals that cover what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mintage.stats.groups import (
    GroupedBootstrap,
    expanded_level,
    expanded_percentile,
    fewest_groups,
    is_reachable,
)


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=30), st.integers(0, 2**31))
def test_each_draw_holds_as_many_groups_as_there_are(groups: list[str], seed: int) -> None:
    bootstrap = GroupedBootstrap(np.array(groups, dtype=object), seed=seed, draws=50)
    weights = bootstrap.weights()
    assert weights.shape == (50, len(set(groups)))
    assert (weights.sum(axis=1) == bootstrap.groups).all()
    np.testing.assert_array_equal(weights, bootstrap.weights())


def test_means_are_those_of_the_resampled_rows() -> None:
    rng = np.random.default_rng(0)
    groups, values = rng.integers(0, 6, 200), rng.random(200)
    bootstrap = GroupedBootstrap(groups, seed=4, draws=20)
    expected = [np.average(values, weights=row[bootstrap.index]) for row in bootstrap.weights()]
    np.testing.assert_allclose(bootstrap.means(values), expected, rtol=1e-12)


def test_chunks_of_many_rows_are_the_same_draws_as_all_at_once() -> None:
    bootstrap = GroupedBootstrap.of_rows(300_000, seed=9, draws=11)
    parts = list(bootstrap.chunks())
    assert len(parts) > 1
    assert sum(len(part) for part in parts) == 11
    assert all((part.sum(axis=1) == 300_000).all() for part in parts)


def test_expanded_level_is_the_formula_of_hesterberg() -> None:
    for groups in (5, 7, 30):
        t = stats.t.ppf(0.975, groups - 1)
        assert expanded_level(groups, 0.95) == pytest.approx(stats.norm.cdf(-np.sqrt(groups / (groups - 1)) * t))
    assert expanded_level(100_000, 0.95) == pytest.approx(0.025, abs=1e-5)


def test_few_groups_or_few_draws_make_a_level_unreachable() -> None:
    assert not is_reachable(1, 0.95, 4000)
    assert not is_reachable(4, 0.95, 1_000_000)
    assert is_reachable(5, 0.95, 4000)
    assert not is_reachable(7, 0.99, 200)
    assert fewest_groups(0.95, 4000) == 5
    assert fewest_groups(0.9999, 100) is None


def test_grouped_interval_covers_the_truth_where_a_row_by_row_interval_does_not() -> None:
    rng = np.random.default_rng(20130215)
    grouped = rowwise = 0
    simulations, groups, rows = 300, 10, 40
    for seed in range(simulations):
        names = np.repeat(np.arange(groups), rows)
        values = rng.normal(size=groups)[names] + rng.normal(size=groups * rows)
        mean = float(values.mean())
        by_group = GroupedBootstrap(names, seed=seed, draws=1000)
        grouped += expanded_percentile(by_group.means(values), mean, groups).contains(0.0)
        by_row = GroupedBootstrap.of_rows(len(values), seed=seed, draws=300)
        rowwise += expanded_percentile(by_row.means(values), mean, len(values)).contains(0.0)
    assert grouped / simulations > 0.92
    assert rowwise / simulations < 0.5


def test_interval_always_holds_the_estimate_and_refuses_nan() -> None:
    interval = expanded_percentile(np.array([0.1, 0.2, 0.3]), 0.5, 10)
    assert interval.high == 0.5
    with pytest.raises(ValueError, match="NaN"):
        expanded_percentile(np.array([0.1, np.nan]), 0.1, 10)
