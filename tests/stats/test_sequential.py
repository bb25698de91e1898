"""Sequential tests: the share of false alarms under constant peeking, and how soon true ones come."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from mintage.errors import UsageError
from mintage.stats.sequential import (
    Block,
    log_e_harm,
    log_e_mean_above,
    log_e_noninferior,
    log_sr_mean_above,
)


def _release(rng: np.random.Generator, stable: float, canary: float, looks: int) -> list[Block]:
    return [Block(900, int(rng.binomial(900, stable)), 100, int(rng.binomial(100, canary))) for _ in range(looks)]


def _first(path: np.ndarray, level: float) -> int | None:
    over = np.flatnonzero(path >= level)
    return int(over[0]) + 1 if len(over) else None


def _expectation(
    past: Sequence[Block], rows: tuple[int, int], rates: tuple[float, float], *, margin: float | None, tolerance: float
) -> float:
    """The exact expectation of the next block's factor, by summing over all its outcomes."""
    total = 0.0
    for a, b in itertools.product(range(rows[0] + 1), range(rows[1] + 1)):
        block = Block(rows[0], a, rows[1], b)
        if margin is None:
            path = log_e_harm([*past, block], tolerance=tolerance)
        else:
            path = log_e_noninferior([*past, block], margin=margin)
        chance = math.comb(rows[0], a) * rates[0] ** a * (1 - rates[0]) ** (rows[0] - a)
        chance *= math.comb(rows[1], b) * rates[1] ** b * (1 - rates[1]) ** (rows[1] - b)
        total += chance * math.exp(path[-1] - path[-2])
    return total


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.3, 0.05), (0.02, 0.02), (0.5, 0.5), (0.9, 0.2)])
def test_no_healthy_pair_of_rates_makes_harm_grow_on_average(rates: tuple[float, float]) -> None:
    past = [Block(50, 6, 10, 0)]
    assert _expectation(past, (5, 3), rates, margin=None, tolerance=0.0) <= 1 + 1e-9


@pytest.mark.parametrize("rates", [(0.1, 0.15), (0.3, 0.35), (0.02, 0.05)])
def test_harm_within_the_tolerance_does_not_grow_on_average(rates: tuple[float, float]) -> None:
    assert _expectation([Block(50, 6, 10, 0)], (5, 3), rates, margin=None, tolerance=0.05) <= 1 + 1e-9


@pytest.mark.parametrize("rates", [(0.1, 0.2), (0.0, 0.1), (0.3, 0.7), (0.5, 0.6)])
def test_no_inferior_pair_of_rates_makes_noninferiority_grow_on_average(rates: tuple[float, float]) -> None:
    assert _expectation([Block(50, 6, 10, 0)], (5, 3), rates, margin=0.1, tolerance=0.0) <= 1 + 1e-9


def test_looking_each_minute_rolls_back_few_healthy_canaries() -> None:
    rng = np.random.default_rng(1)
    stopped = [_first(log_e_harm(_release(rng, 0.01, 0.01, 120)), math.log(20)) for _ in range(120)]
    assert sum(stop is not None for stop in stopped) <= 7


def test_a_canary_with_twice_the_errors_is_found_in_about_eleven_looks() -> None:
    rng = np.random.default_rng(2)
    stopped = [_first(log_e_harm(_release(rng, 0.01, 0.02, 120)), math.log(20)) or 121 for _ in range(100)]
    assert max(stopped) <= 120
    assert np.median(stopped) <= 16


def test_a_canary_with_five_times_the_errors_is_found_at_once() -> None:
    rng = np.random.default_rng(3)
    stopped = [_first(log_e_harm(_release(rng, 0.01, 0.05, 30)), math.log(20)) or 31 for _ in range(50)]
    assert np.median(stopped) <= 4


def test_an_equal_canary_is_shown_not_to_be_worse_and_an_inferior_one_is_not() -> None:
    rng = np.random.default_rng(14)
    equal = [_first(log_e_noninferior(_release(rng, 0.01, 0.01, 120), margin=0.01), math.log(20)) for _ in range(30)]
    worse = [_first(log_e_noninferior(_release(rng, 0.01, 0.02, 120), margin=0.01), math.log(20)) for _ in range(150)]
    assert sum(stop is not None for stop in equal) >= 29
    assert sum(stop is not None for stop in worse) <= 12


def test_blocks_without_rows_of_one_side_say_nothing() -> None:
    blocks = [Block(100, 1, 10, 0), Block(100, 50, 0, 0), Block(0, 0, 10, 10)]
    assert log_e_harm(blocks)[1:].tolist() == [0.0, 0.0]
    assert log_e_noninferior(blocks, margin=0.05).tolist() == [0.0, 0.0, 0.0]
    assert log_e_harm([]).tolist() == []


def test_extreme_rates_stay_finite() -> None:
    for block in (Block(100, 0, 100, 100), Block(100, 100, 100, 0), Block(1, 1, 1, 1)):
        assert np.isfinite(log_e_harm([block] * 20)).all()
        assert np.isfinite(log_e_noninferior([block] * 20, margin=0.05)).all()


def test_impossible_blocks_and_margins_are_refused() -> None:
    with pytest.raises(UsageError):
        log_e_harm([Block(10, 11, 5, 0)])
    with pytest.raises(UsageError):
        log_e_noninferior([], margin=0.0)


def test_a_mean_at_the_bound_gathers_no_evidence_and_one_above_does() -> None:
    rng = np.random.default_rng(5)
    calm = [log_e_mean_above(rng.exponential(0.5, 200), mean=0.5, low=0.0).max() for _ in range(300)]
    assert np.mean(np.array(calm) >= math.log(20)) <= 0.05
    risen = [_first(log_e_mean_above(rng.normal(0.65, 0.1, 200), mean=0.5, low=0.0), math.log(20)) for _ in range(30)]
    assert all(stop is not None and stop <= 40 for stop in risen)


def test_a_rise_after_a_long_calm_is_found_as_soon_as_one_at_the_start() -> None:
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.normal(0.4, 0.1, 300), rng.normal(0.8, 0.1, 60)])
    path = log_sr_mean_above(values, mean=0.5, low=0.0)
    assert path[:300].max() < math.log(365)
    found = _first(path, math.log(365))
    assert found is not None
    assert found <= 330


def test_values_below_their_bound_are_refused() -> None:
    with pytest.raises(UsageError):
        log_e_mean_above(np.array([-0.1]), mean=0.5, low=0.0)
    with pytest.raises(UsageError):
        log_e_mean_above(np.array([0.1]), mean=0.0, low=0.0)
