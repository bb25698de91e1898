"""Tests that may be looked at after every block of data and stopped at any time.

Each function returns the log of an e-process: a non-negative process that starts at 1 and whose expectation is at most
1 at any stopping time while its null hypothesis holds, so that it ever reaches 1/alpha with probability at most alpha
(Ville's inequality). A canary's judge therefore rolls back as soon as ``log_e_harm`` reaches log(1/alpha), promotes
as soon as ``log_e_noninferior`` does, and else waits; how often it looks does not matter.

Two samples of Bernoulli counts: a block has n_a rows of the stable model and n_b of the canary. Guess the rates
(q_a, q_b) from the past, and let (r_a, r_b) be the point of the null hypothesis nearest to them in n_a KL + n_b KL.
Then the block's likelihood ratio of q to r is an e-value for every point of the null, if that is convex (Turner, Ly,
Gruenwald, arXiv 2106.02693): by the inequality of means its expectation is at most
(1 + (n_a d_a + n_b d_b) / (n_a + n_b))^(n_a + n_b) with d = (p - r)(q - r) / (r (1 - r)), and the optimality of r says
that n_a d_a + n_b d_b <= 0.

>>> calm = [Block(stable_rows=900, stable_failures=9, canary_rows=100, canary_failures=1)] * 30
>>> bad = [Block(stable_rows=900, stable_failures=9, canary_rows=100, canary_failures=5)] * 30
>>> bool(log_e_harm(calm)[-1] < np.log(20)), bool(log_e_harm(bad)[-1] > np.log(20))
(True, True)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from mintage.errors import UsageError

__all__ = ["Block", "log_bets_above", "log_e_harm", "log_e_mean_above", "log_e_noninferior", "log_sr_mean_above"]

Floats = NDArray[np.float64]

_EFFECTS = (1.5, 2.0, 3.0, 5.0, 10.0)
_BETS = (0.9, *(2.0**-power for power in range(1, 8)))


class Block(NamedTuple):
    """What happened between two looks: rows and failures of the stable model and of the canary."""

    stable_rows: int
    stable_failures: int
    canary_rows: int
    canary_failures: int


def _check(blocks: Sequence[Block]) -> None:
    for block in blocks:
        if not (0 <= block.stable_failures <= block.stable_rows and 0 <= block.canary_failures <= block.canary_rows):
            raise UsageError(
                "a block counts more failures than rows", expected="0 <= failures <= rows", found=repr(block)
            )


def _nearest(q_a: float, q_b: float, block: Block, gap: float) -> tuple[float, float]:
    """The point (t, t + gap) nearest to (q_a, q_b) in n_a KL(q_a||.) + n_b KL(q_b||.), by bisection on its slope."""
    if gap == 0:
        pooled = (block.stable_rows * q_a + block.canary_rows * q_b) / (block.stable_rows + block.canary_rows)
        return pooled, pooled
    low, high = max(0.0, -gap), min(1.0, 1.0 - gap)
    for _ in range(60):
        t = (low + high) / 2
        u = t + gap
        slope = block.stable_rows * (t - q_a) / max(t * (1 - t), 1e-300)
        slope += block.canary_rows * (u - q_b) / max(u * (1 - u), 1e-300)
        low, high = (t, high) if slope < 0 else (low, t)
    return (low + high) / 2, (low + high) / 2 + gap


def _log_ratio(q: float, r: float, rows: int, failures: int) -> float:
    value = 0.0
    if failures:
        value += failures * (math.log(q) - math.log(r))
    if rows - failures:
        value += (rows - failures) * (math.log1p(-q) - math.log1p(-r))
    return value


def _log_e_block(q_a: float, q_b: float, block: Block, gap: float) -> float:
    if not block.stable_rows or not block.canary_rows:
        return 0.0
    r_a, r_b = _nearest(q_a, q_b, block, gap)
    if not (0 < r_a < 1 and 0 < r_b < 1):
        return 0.0
    return _log_ratio(q_a, r_a, block.stable_rows, block.stable_failures) + _log_ratio(
        q_b, r_b, block.canary_rows, block.canary_failures
    )


def _rate(failures: int, rows: int) -> float:
    return (failures + 0.5) / (rows + 1)


def log_e_harm(blocks: Sequence[Block], *, tolerance: float = 0.0) -> Floats:
    """Log evidence after each block that the canary fails more often than the stable model by over ``tolerance``.

    Null hypothesis: canary rate <= stable rate + tolerance. The guess is the stable model's past rate and a canary
    whose odds of failing exceed it (plus tolerance) 1.5 to 10 times, a mixture of five. The first block only teaches.
    """
    _check(blocks)
    wealth = np.zeros(len(_EFFECTS))
    path = np.zeros(len(blocks))
    rows = failures = 0
    for index, block in enumerate(blocks):
        if rows:
            q_a = _rate(failures, rows)
            base = min(q_a + tolerance, 1 - 1e-9)
            for effect, factor in enumerate(_EFFECTS):
                odds = factor * base / (1 - base)
                q_b = odds / (1 + odds)
                wealth[effect] += _log_e_block(q_a, q_b, block, tolerance) if q_b > q_a + tolerance else 0.0
        rows, failures = rows + block.stable_rows, failures + block.stable_failures
        path[index] = logsumexp(wealth) - math.log(len(wealth))
    return path


def log_e_noninferior(blocks: Sequence[Block], *, margin: float) -> Floats:
    """Log evidence after each block that the canary fails less than ``margin`` more often than the stable model.

    Null hypothesis: canary rate >= stable rate + margin. The guess is one rate for both, from the past of both.
    """
    if not 0 < margin < 1:
        raise UsageError("the margin of non-inferiority is a rate", expected="0 < margin < 1", found=str(margin))
    _check(blocks)
    path = np.zeros(len(blocks))
    wealth = 0.0
    rows = failures = 0
    for index, block in enumerate(blocks):
        if rows:
            rate = min(_rate(failures, rows), (1 - margin) * (1 - 1e-9))
            wealth += _log_e_block(rate, rate, block, margin)
        rows += block.stable_rows + block.canary_rows
        failures += block.stable_failures + block.canary_failures
        path[index] = wealth
    return path


def log_bets_above(values: NDArray[Any], *, mean: float, low: float) -> Floats:
    """Log wealth increments [values, bets] of betting that values of at least ``low`` have a mean above ``mean``."""
    if not low < mean:
        raise UsageError("the mean is not above the lower bound", expected=f"over {low}", found=str(mean))
    data = np.asarray(values, dtype=np.float64)
    if data.size and not data.min() >= low:
        raise UsageError("a value is below its bound", expected=f"at least {low}", found=str(data.min()))
    scaled = (data - mean) / (mean - low)
    return np.asarray(np.log1p(np.outer(scaled, _BETS)), dtype=np.float64)


def log_e_mean_above(values: NDArray[Any], *, mean: float, low: float) -> Floats:
    """Log evidence after each value that the mean is above ``mean``, for values of at least ``low``.

    Null hypothesis: given its past each value has a mean of at most ``mean``; no upper bound is needed (betting as in
    Waudby-Smith, Ramdas, arXiv 2010.09686). A mixture of eight constant bets, from 0.9 to
    1/128 of the largest allowed.
    """
    wealth = np.cumsum(log_bets_above(values, mean=mean, low=low), axis=0)
    return np.asarray(logsumexp(wealth, axis=1) - math.log(len(_BETS)), dtype=np.float64)


def log_sr_mean_above(values: NDArray[Any], *, mean: float, low: float) -> Floats:
    """Log Shiryaev-Roberts evidence after each value that the mean rose above ``mean`` at some time before.

    The sum over all starts of ``log_e_mean_above`` from there on: with no change it takes at least A values on
    average to reach log A.
    """
    bets = log_bets_above(values, mean=mean, low=low)
    state = np.full(bets.shape[1], -np.inf)
    path = np.zeros(len(bets))
    for index, increments in enumerate(bets):
        state = np.logaddexp(state, 0.0) + increments
        path[index] = logsumexp(state) - math.log(len(state))
    return path
