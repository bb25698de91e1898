"""DeLong's variance beside the bootstrap, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.stats.auc import auc
from mintage.stats.delong import auc_interval, difference_interval, gap_interval, macro_variances, variances
from mintage.stats.groups import GroupedBootstrap


def drawn(rng: np.random.Generator, rows: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    y = (rng.random(rows) < 0.3).astype(int)
    return y, rng.normal(size=rows) + shift * y


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_the_auc_is_that_of_the_pairs(rows: list[tuple[bool, int]]) -> None:
    y = np.array([int(hit) for hit, _ in rows])
    score = np.array([float(value) for _, value in rows])
    np.testing.assert_allclose(variances(y, [score]).aucs[0], auc(y, score), rtol=1e-12)


@pytest.mark.parametrize("shift", [0.5, 1.5])
def test_the_variance_is_the_bootstraps(shift: float) -> None:
    y, score = drawn(np.random.default_rng(1), 600, shift)
    closed = float(np.sqrt(variances(y, [score]).covariance[0, 0]))
    resampled = GroupedBootstrap.of_rows(600, seed=1, draws=4000).aucs(y, score).std()
    assert closed == pytest.approx(resampled, rel=0.06)


def test_the_variance_of_grouped_rows_is_the_grouped_bootstraps_and_larger_than_that_of_rows() -> None:
    rng = np.random.default_rng(2)
    day = np.repeat(np.arange(80), 20)
    effect = rng.normal(size=80)[day]
    y = (rng.random(1600) < np.where(rng.random(80) < 0.4, 0.8, 0.1)[day]).astype(int)
    score = rng.normal(size=1600) + 0.8 * y + 1.5 * effect
    by_rows = float(np.sqrt(variances(y, [score]).covariance[0, 0]))
    by_days = float(np.sqrt(variances(y, [score], day).covariance[0, 0]))
    assert by_days > 1.5 * by_rows
    assert by_days == pytest.approx(GroupedBootstrap(day, seed=1, draws=4000).aucs(y, score).std(), rel=0.12)


def test_the_difference_of_two_aucs_is_paired() -> None:
    rng = np.random.default_rng(3)
    y, score = drawn(rng, 800, 1.0)
    other = score + 0.1 * rng.normal(size=800)
    bootstrap = GroupedBootstrap.of_rows(800, seed=1, draws=4000)
    resampled = (bootstrap.aucs(y, score) - bootstrap.aucs(y, other)).std()
    interval = difference_interval(variances(y, [score, other]))
    assert interval is not None
    assert (interval.high - interval.low) / (2 * 1.963) == pytest.approx(resampled, rel=0.08)


def test_intervals_cover_what_they_promise() -> None:
    rng = np.random.default_rng(4)
    truth = 0.7602499389065233  # of two normal distributions, one standard deviation apart: Phi(1 / sqrt(2))
    held = 0
    for _ in range(600):
        y, score = drawn(rng, 200, 1.0)
        interval = auc_interval(variances(y, [score]))
        held += interval is not None and interval.contains(truth)
    assert 0.93 <= held / 600 <= 0.975


def test_a_perfect_score_has_an_interval_that_reaches_below_one() -> None:
    interval = auc_interval(variances(np.repeat([0, 1], 20), [np.arange(40.0)]))
    assert interval is not None
    assert interval.high == 1.0
    assert 0.8 < interval.low < 0.9


def test_one_class_or_one_unit_of_it_has_no_interval() -> None:
    assert auc_interval(variances(np.ones(5), [np.arange(5.0)])) is None
    assert auc_interval(variances(np.array([0, 0, 0, 1]), [np.arange(4.0)])) is None
    grouped = variances(np.array([0, 1, 0, 1]), [np.arange(4.0)], np.zeros(4, dtype=np.intp))
    assert auc_interval(grouped) is None
    assert difference_interval(variances(np.ones(3), [np.arange(3.0), np.arange(3.0)])) is None


def classes(rng: np.random.Generator, rows: int, day: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    y = rng.integers(0, 3, rows)
    effect = 0.0 if day is None else rng.normal(size=(day.max() + 1, 3))[day]
    raw = rng.normal(size=(rows, 3)) + 1.2 * np.eye(3)[y] + effect
    return y, np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_macro_auc_is_the_mean_over_classes_with_the_bootstraps_variance(grouped: bool) -> None:
    rng = np.random.default_rng(5)
    day = np.repeat(np.arange(80), 12)
    y, score = classes(rng, 960, day if grouped else None)
    found = macro_variances(y, [score], day if grouped else None)
    assert found.aucs[0] == pytest.approx(np.mean([auc(y == k, score[:, k]) for k in range(3)]), abs=1e-12)
    bootstrap = GroupedBootstrap(day if grouped else np.arange(960), seed=1, draws=2000)
    resampled = np.mean([bootstrap.aucs(y == k, score[:, k]) for k in range(3)], axis=0).std()
    assert float(np.sqrt(found.covariance[0, 0])) == pytest.approx(resampled, rel=0.12)


def test_the_macro_auc_without_a_class_has_no_interval() -> None:
    y, score = classes(np.random.default_rng(6), 60)
    assert auc_interval(macro_variances(np.where(y == 2, 1, y), [score])) is None


def test_the_gap_of_two_samples_adds_their_variances() -> None:
    rng = np.random.default_rng(7)
    one, other = (variances(y, [score]) for y, score in (drawn(rng, 500, 1.0), drawn(rng, 300, 0.8)))
    interval = gap_interval(one, other)
    assert interval is not None
    spread = np.sqrt(one.covariance[0, 0] + other.covariance[0, 0])
    assert (interval.high + interval.low) / 2 == pytest.approx(one.aucs[0] - other.aucs[0])
    assert interval.high - interval.low == pytest.approx(2 * 1.98 * spread, rel=0.02)
    assert gap_interval(one, variances(np.ones(3), [np.arange(3.0)])) is None
