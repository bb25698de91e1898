"""Exact tests by strata, calibration, covering arrays: against brute force and other implementations."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import optimize, special, stats

from mintage.stats.calibration import cox, equal_bins, squared_error
from mintage.stats.covering import covering_rows
from mintage.stats.strata import Stratum, more_hits


def test_one_stratum_is_fishers_exact_test() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        rows, hits, chosen = (int(value) for value in rng.integers([40, 1, 1], [400, 40, 40]))
        found = int(rng.integers(0, min(hits, chosen) + 1))
        expected = stats.hypergeom(rows, hits, chosen).sf(found - 1)
        assert more_hits(found, [Stratum(rows=rows, hits=hits, chosen=chosen)]) == pytest.approx(expected, rel=1e-9)


def test_strata_agree_with_shuffling_hits_within_them() -> None:
    rng = np.random.default_rng(2)
    strata = np.repeat([0, 1, 2], [30, 50, 20])
    hits = rng.random(100) < np.array([0.1, 0.4, 0.8])[strata]
    inside = rng.random(100) < 0.3
    found = int(hits[inside].sum()) + 1
    parts = [
        Stratum(
            rows=int((strata == place).sum()),
            hits=int(hits[strata == place].sum()),
            chosen=int((inside & (strata == place)).sum()),
        )
        for place in range(3)
    ]
    shuffled = np.array(
        [
            sum(int(rng.permutation(hits[strata == place])[: parts[place].chosen].sum()) for place in range(3))
            for _ in range(20_000)
        ]
    )
    assert more_hits(found, parts) == pytest.approx((shuffled >= found).mean(), abs=0.01)


def test_cox_is_the_fit_of_greatest_likelihood() -> None:
    rng = np.random.default_rng(3)
    p = special.expit(rng.normal(size=500))
    y = (rng.random(500) < special.expit(0.3 + 0.5 * special.logit(p))).astype(float)
    x = special.logit(p)

    def loss(line: np.ndarray) -> float:
        return float(np.logaddexp(0, line[0] + line[1] * x).sum() - (y * (line[0] + line[1] * x)).sum())

    best = optimize.minimize(loss, np.array([0.0, 1.0])).x
    fit = cox(y, p)
    assert fit is not None
    assert [fit.intercept, fit.slope] == pytest.approx(best, abs=1e-4)


def test_coxs_interval_covers_the_slope_of_a_calibrated_model_also_where_days_differ() -> None:
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(30), 40)
    covered, naive = 0, 0
    for _ in range(200):
        x = rng.normal(size=len(day)) + rng.normal(size=30)[day]
        p = special.expit(x)
        y = rng.random(len(day)) < special.expit(x + 0.8 * rng.normal(size=30)[day])
        fit, rows = cox(y, p, day), cox(y, p)
        assert fit is not None and rows is not None
        truth = 0.87  # a day's own effect flattens the line
        covered += fit.slope_interval(0.95).contains(truth)
        naive += rows.slope_interval(0.95).contains(truth)
    assert covered >= 176 and naive < covered


def test_cox_has_no_fit_where_there_is_none() -> None:
    p = np.array([0.1, 0.2, 0.8, 0.9])
    assert cox(np.array([0, 0, 0, 0]), p) is None
    assert cox(np.array([0, 1, 0, 1]), np.full(4, 0.5)) is None
    assert cox(np.array([0, 0, 1, 1]), p) is None


def test_the_error_of_a_perfect_model_is_centred_on_nothing_once_its_noise_is_taken_out() -> None:
    rng = np.random.default_rng(5)
    raw, less = [], []
    for _ in range(200):
        p = rng.random(600)
        y = rng.random(600) < p
        of = equal_bins(p, 10)
        sizes = np.bincount(of)
        gaps = np.bincount(of, weights=y - p) / sizes
        noise = np.bincount(of, weights=p * (1 - p)) / sizes**2
        raw.append(float(squared_error(gaps, sizes / 600, 0 * noise)))
        less.append(float(((gaps**2 - noise) * sizes / 600).sum()))
    assert np.mean(raw) > 0.001
    assert abs(np.mean(less)) < 0.0002


@pytest.mark.parametrize(("columns", "prime", "rows"), [(1, 7, 49), (8, 7, 49), (9, 7, 343), (57, 7, 343), (20, 3, 81)])
def test_every_two_levels_of_every_two_columns_meet(columns: int, prime: int, rows: int) -> None:
    array = covering_rows(columns=columns, prime=prime)
    assert array.shape == (rows, columns)
    for one, other in list(combinations(range(columns), 2))[:300]:
        assert len({(a, b) for a, b in array[:, [one, other]].tolist()}) == prime**2
