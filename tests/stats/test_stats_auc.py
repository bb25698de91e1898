"""The weighted AUC: equal to its definition and to scikit-learn's, by every way of computing it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mintage.stats.auc import GroupedAuc, auc
from mintage.stats.curves import calibration_bins, roc_points
from mintage.stats.groups import GroupedBootstrap
from mintage.stats.loss import brier_rows, log_loss_rows

rows = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]), st.integers(0, 3), st.integers(0, 4)),
    min_size=1,
    max_size=40,
)


def by_pairs(y: list[int], score: list[float], weight: list[float]) -> float:
    wins = pairs = 0.0
    for a, label_a in enumerate(y):
        for b, label_b in enumerate(y):
            if label_a == 1 and label_b == 0:
                worth = weight[a] * weight[b]
                pairs += worth
                wins += worth * (1.0 if score[a] > score[b] else 0.5 if score[a] == score[b] else 0.0)
    return wins / pairs if pairs else math.nan


@given(rows)
def test_auc_is_the_weighted_share_of_pairs_in_order(sample: list[tuple[int, float, int, int]]) -> None:
    y, score, weight, _ = (list(column) for column in zip(*sample, strict=True))
    found = auc(np.array(y), np.array(score), np.array(weight, dtype=float))
    assert found == pytest.approx(by_pairs(y, score, weight), abs=1e-12, nan_ok=True)


@given(rows, st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_both_ways_of_resampling_groups_give_the_same_bits(
    sample: list[tuple[int, float, int, int]], weights: list[int]
) -> None:
    y, score, _, group = (np.array(column) for column in zip(*sample, strict=True))
    ranked, row = GroupedAuc(y, score, group, 5), np.array([weights], dtype=float)
    np.testing.assert_array_equal(ranked.quadratic(row), ranked.walk(row))
    assert ranked.walk(row)[0] == pytest.approx(auc(y, score, row[0][group]), abs=1e-12, nan_ok=True)


def test_auc_and_losses_equal_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    y, score = rng.integers(0, 2, 5000), np.round(rng.random(5000), 2)
    weight = rng.integers(0, 4, 5000).astype(float)
    score[:2], y[:2] = [0.0, 1.0], [1, 0]
    assert auc(y, score) == pytest.approx(metrics.roc_auc_score(y, score), abs=1e-12)
    assert auc(y, score, weight) == pytest.approx(metrics.roc_auc_score(y, score, sample_weight=weight), abs=1e-12)
    assert log_loss_rows(y, score).mean() == pytest.approx(metrics.log_loss(y, score), abs=1e-12)
    assert brier_rows(y, score).mean() == pytest.approx(metrics.brier_score_loss(y, score), abs=1e-12)


def test_auc_of_one_class_is_not_a_number() -> None:
    assert math.isnan(auc(np.ones(3), np.array([0.1, 0.2, 0.3])))


def test_roc_curve_holds_the_area_that_auc_says() -> None:
    rng = np.random.default_rng(5)
    score = np.round(rng.random(2000), 2)
    y = (rng.random(2000) < score).astype(int)
    points = roc_points(y, score, most=10_000)
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(auc(y, score), abs=1e-12)
    assert len(roc_points(y, score, most=20)) <= 21
    with pytest.raises(ValueError, match="both classes"):
        roc_points(np.ones(3), np.array([0.1, 0.2, 0.3]))


def test_calibration_bins_hold_every_row_once_and_the_truth_of_a_calibrated_score() -> None:
    rng = np.random.default_rng(7)
    score = rng.random(8000)
    y = (rng.random(8000) < score).astype(int)
    bootstrap = GroupedBootstrap(rng.integers(0, 40, 8000), seed=1, draws=2000)
    bins = calibration_bins(y, score, bootstrap)
    assert sum(item.rows for item in bins) == 8000
    assert sum(item.interval is not None and item.interval.contains(item.score) for item in bins) >= 8
    assert all(item.interval is None for item in calibration_bins(y, score, GroupedBootstrap(y * 0, seed=1, draws=200)))
