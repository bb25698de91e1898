"""Evidence that counts no longer come from a reference distribution, valid at every look.

Rows that come in groups (a day's rows share weather, a campaign, a batch) are not independent: ``clustering`` measures
from reference groups and traffic how much alike the rows of one group are, and ``effective_counts`` lets a group of n
rows count as ``n / (1 + (n - 1) rho)`` of them (Kish's design effect): all of them if rho is 0, one if rho is 1.

``log_e_counts`` is an e-value of counts against *every* distribution within ``radius`` (nats) of the reference: the
Dirichlet-multinomial likelihood over the largest likelihood in the ball {p : KL(reference || p) <= radius}
(universal inference; Wasserman, Ramdas, Balakrishnan 2020). ``log_e_detector`` adds up those of several look-backs: a
Shiryaev-Roberts e-detector (Shin, Ramdas, Rinaldo, arXiv 2203.03532), whose mean time to a false alarm at the
threshold A is at least A windows.

What is promised. Where a group counts as at most one observation (rho >= 1), only the mean of a group's proportions
must stay in the ball: with weights that sum to at most one, the weighted geometric mean of the likelihood ratios is at
most their arithmetic mean, so its expectation is at most 1 whatever happens inside a group. Where it counts as more,
rho must not be underestimated; ``clustering`` therefore takes the worst direction and an upper confidence limit. That
part is a model, checked by simulation, not a theorem. Groups must be alike: a trend or a season that the reference
groups did not see *is* drift.

>>> reference = np.array([0.5, 0.3, 0.2])
>>> bool(log_e_counts(np.array([500.0, 300.0, 200.0]), reference, radius=0.01) < 0)
True
>>> bool(log_e_counts(np.array([200.0, 300.0, 500.0]), reference, radius=0.01) > 100)
True
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln, logsumexp, xlogy  # scipy.stats takes four times as long to import

__all__ = [
    "LOOK_BACKS",
    "clustering",
    "coarsen",
    "effective_counts",
    "js_distance",
    "kl_divergence",
    "log_e_counts",
    "log_e_detector",
    "log_shiryaev_roberts",
    "reference_distribution",
    "reference_radius",
]

Floats = NDArray[np.float64]

LOOK_BACKS: tuple[int, ...] = (7, 14, 28, 56, 112)
"""How many days back a change may have begun: whole weeks, so that weekdays balance and one odd day is no drift."""

_CONCENTRATIONS = (0.5, 5.0, 50.0)
_BISECTIONS = 60
_WEEK = 7
_ASSUMED_MEMORY = 3.0


def kl_divergence(p: NDArray[Any], q: NDArray[Any]) -> Floats:
    """KL(p || q) in nats over the last axis; infinite where q lacks a bin that p has."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(np.where(p > 0, p, 1.0)) - np.log(q)), 0.0)
    return np.asarray(terms.sum(axis=-1), dtype=np.float64)


def js_distance(p: NDArray[Any], q: NDArray[Any]) -> float:
    """Jensen-Shannon distance of two distributions: 0 if equal, 1 if disjoint (base 2, square root)."""
    middle = (p + q) / 2
    divergence = float(kl_divergence(p, middle) + kl_divergence(q, middle)) / (2 * math.log(2))
    return math.sqrt(max(divergence, 0.0))


def _excess(deviations: Floats, lost: int) -> tuple[float, Floats]:
    """Largest variance of standardised deviations [groups, bins] over that of independent rows, and its direction.

    ``lost`` is how many groups' worth of freedom their means took. What pure sampling noise would show as the largest
    variance among so many bins (the Marchenko-Pastur edge) is taken off.
    """
    freedom = len(deviations) - lost
    variances, directions = np.linalg.eigh(deviations.T @ deviations / freedom)
    edge = (1 + math.sqrt((deviations.shape[1] - 1) / freedom)) ** 2
    return max(float(variances[-1]) - edge, 0.0), np.asarray(directions[:, -1])


def _upper(excess: float, freedom: int, size: float) -> float:
    """Upper 90 % limit of the intraclass correlation behind an excess variance."""
    upper = excess * freedom / _chi2_quantile(0.1, freedom)
    return min(upper / max(size - 1, 1e-9), 1.0)


def _of_reference(counts: Floats) -> float:
    sizes = counts.sum(axis=1, keepdims=True)
    if len(counts) < 2 or np.count_nonzero(counts.sum(axis=0)) < 2:
        return 1.0
    pool = counts.sum(axis=0) / counts.sum()
    deviations = (counts - sizes * pool) / np.sqrt(sizes * np.maximum(pool, 0.5 / counts.sum()))
    return _upper(_excess(deviations, 1)[0], len(counts) - 1, float(sizes.mean()))


def _differences(values: Floats, lag: int) -> Floats:
    """Differences over ``lag`` windows, less the ``lag`` neighbours that are largest: one change makes just these."""
    change = values[lag:] - values[:-lag]
    sizes = np.convolve((change**2).sum(axis=1), np.ones(lag), mode="valid")
    worst = int(np.argmax(sizes))
    return np.asarray(np.delete(change, np.s_[worst : worst + lag], axis=0), dtype=np.float64)


def _of_windows(counts: Floats) -> tuple[float, float]:
    """Intraclass correlation and memory (integrated autocorrelation) of windows in their order.

    Both come from differences (a week apart; one and two windows apart), which a slow change of the mean does not
    inflate, nor a single one. A lag-one correlation a means a memory of (1 + a) / (1 - a) windows.
    """
    sizes = counts.sum(axis=1, keepdims=True)
    pool = (counts.sum(axis=0) + 0.5) / (counts.sum(axis=0) + 0.5).sum()
    typical = float(1 / (1 / sizes).mean())
    scaled = counts / sizes / np.sqrt(2 * pool / typical)
    excess, direction = _excess(_differences(scaled, _WEEK), 0)
    path = (scaled @ direction)[:, None]
    one, two = (float(np.mean(_differences(path, lag) ** 2)) for lag in (1, 2))
    lag_one = min(max(two / max(one, 1e-300) - 1, 0.0), 0.9)
    return _upper(excess, len(counts) - 2 * _WEEK, float(sizes.mean())), (1 + lag_one) / (1 - lag_one)


def clustering(reference: NDArray[Any], windows: NDArray[Any]) -> float:
    """How much rows of one window go together: intraclass correlation times memory between windows, 0 if independent.

    From the counts [groups, bins] of the reference and of the traffic's windows in order; the larger correlation of
    the two counts, in the direction in which it is largest, each an upper 90 % limit. A reference of one group or one
    bin tells nothing: 1. Traffic is used from 21 windows on; before that a memory of 3 windows is assumed.
    """
    groups, traffic = (np.asarray(counts, dtype=np.float64) for counts in (reference, windows))
    groups, traffic = groups[groups.sum(axis=1) > 0], traffic[traffic.sum(axis=1) > 0]
    rho, memory = _of_reference(groups), _ASSUMED_MEMORY
    if len(traffic) >= 3 * _WEEK:
        seen, memory = _of_windows(traffic)
        rho = max(rho, seen)
    return rho * memory


def effective_counts(group_counts: NDArray[Any], rho: float) -> Floats:
    """Counts [groups, bins] scaled so that a group of n rows weighs n / (1 + (n - 1) rho), rho from ``clustering``."""
    counts = np.asarray(group_counts, dtype=np.float64)
    sizes = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / (1 + np.maximum(sizes - 1, 0) * rho), dtype=np.float64)


def reference_distribution(group_counts: NDArray[Any], rho: float) -> tuple[Floats, float]:
    """The reference's bin probabilities, none of them zero, and how many independent rows it is worth."""
    counts = np.asarray(group_counts, dtype=np.float64)
    effective = effective_counts(counts, rho)
    worth = float(effective.sum())
    rows = float(counts.sum())
    if rows == 0:
        return np.full(counts.shape[1], 1 / counts.shape[1]), 0.0
    smoothed = effective.sum(axis=0) + 0.5 * worth / rows
    return np.asarray(smoothed / smoothed.sum(), dtype=np.float64), worth


def reference_radius(bins: int, worth: float, *, error: float) -> float:
    """How far (KL, nats) the truth may be from a reference worth ``worth`` rows, but for a probability ``error``."""
    if worth <= 0:
        return math.inf
    return _chi2_quantile(1 - error, max(bins - 1, 1)) / (2 * worth)


def coarsen(
    reference: NDArray[Any], worth: float, *, per_bin: float = 10.0, least: int = 3, most: int = 12
) -> NDArray[np.int64]:
    """For each bin the number of the merged bin it belongs to: neighbours, merged into bins of about equal mass.

    There are ``worth / per_bin`` of them, within ``least`` and ``most``: each bin that is kept costs evidence, and with
    few independent rows adds to the reference's own error.
    """
    wanted = int(min(max(least, worth // per_bin), most))
    if len(reference) <= wanted:
        return np.arange(len(reference), dtype=np.int64)
    middle = np.cumsum(reference) - np.asarray(reference) / 2
    group = np.minimum((middle * wanted).astype(np.int64), wanted - 1)
    return np.asarray(np.unique(group, return_inverse=True)[1], dtype=np.int64)


def _log_best_in_ball(counts: Floats, reference: Floats, radius: float) -> Floats:
    """Largest log-likelihood of counts [..., bins] over {p : KL(reference || p) <= radius}, rounded up.

    The maximum lies at p = (n + t r) / (N + t) with the multiplier t >= 0 at which the constraint binds.
    """
    total = counts.sum(axis=-1, keepdims=True)
    if radius <= 0:
        return np.asarray(xlogy(counts, reference).sum(axis=-1), dtype=np.float64)
    low = np.full(total.shape, -20.0)
    high = np.log(np.maximum(total, 1e-6)) + 30.0

    def point(log_t: Floats) -> Floats:
        t = np.exp(log_t)
        return np.asarray((counts + t * reference) / (total + t), dtype=np.float64)

    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        outside = kl_divergence(reference, point(middle))[..., None] > radius
        low, high = np.where(outside, middle, low), np.where(outside, high, middle)
    return np.asarray(xlogy(counts, point(low)).sum(axis=-1), dtype=np.float64)


def log_e_counts(counts: NDArray[Any], reference: NDArray[Any], *, radius: float) -> Floats:
    """Log e-value of counts [..., bins] (fractions allowed) against all p within ``radius`` of ``reference``.

    The alternative is an even mixture of Dirichlet priors centred on the reference, from loose to firm.
    """
    counts = np.asarray(counts, dtype=np.float64)
    reference = np.asarray(reference, dtype=np.float64)
    if math.isinf(radius):
        return np.zeros(counts.shape[:-1])
    total = counts.sum(axis=-1)
    mixtures = []
    for concentration in _CONCENTRATIONS:
        prior = concentration * len(reference) * reference
        mixtures.append(
            gammaln(prior.sum())
            - gammaln(prior.sum() + total)
            + (gammaln(prior + counts) - gammaln(prior)).sum(axis=-1)
        )
    marginal = logsumexp(np.stack(mixtures), axis=0) - math.log(len(mixtures))
    return np.asarray(marginal - _log_best_in_ball(counts, reference, radius), dtype=np.float64)


def log_shiryaev_roberts(log_e: NDArray[Any]) -> Floats:
    """Log of the sum over look-backs (last axis) of e-values; -inf entries are look-backs that do not exist yet."""
    return np.asarray(logsumexp(np.asarray(log_e, dtype=np.float64), axis=-1), dtype=np.float64)


def log_e_detector(
    windows: NDArray[Any], reference: NDArray[Any], *, radius: float, look_backs: tuple[int, ...] = LOOK_BACKS
) -> Floats:
    """Log evidence after each window that counts [windows, bins] left the ball, whenever they did.

    Alarm when it reaches log A: with no change, that takes at least A windows on average. To watch K streams under one
    budget use A K.
    """
    windows = np.asarray(windows, dtype=np.float64)
    cumulative = np.vstack([np.zeros(windows.shape[1]), np.cumsum(windows, axis=0)])
    ends = np.arange(1, len(windows) + 1)
    log_e = np.full((len(windows), len(look_backs)), -np.inf)
    for column, back in enumerate(look_backs):
        reaches = ends[ends >= back]
        if len(reaches):
            counts = np.maximum(cumulative[reaches] - cumulative[reaches - back], 0.0)
            log_e[reaches - 1, column] = log_e_counts(counts, reference, radius=radius)
    return log_shiryaev_roberts(log_e)


def _chi2_quantile(probability: float, freedom: float) -> float:
    """The quantile of the chi-squared distribution."""
    return 2 * float(gammaincinv(freedom / 2, probability))
