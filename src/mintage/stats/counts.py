"""Evidence that counts no longer come from a reference distribution, valid at every look.

Rows that come in groups (a day's rows share weather, a campaign, a batch) are not independent: ``intraclass`` measures
from reference groups how much alike the rows of one group are, and ``effective_counts`` lets a group of n rows count as
``n / (1 + (n - 1) rho)`` of them (Kish's design effect): all of them if rho is 0, one if rho is 1.

``log_e_counts`` is an e-value of counts against *every* distribution within ``radius`` (nats) of the reference: the
Dirichlet-multinomial likelihood over the largest likelihood in the ball {p : KL(reference || p) <= radius}
(universal inference; Wasserman, Ramdas, Balakrishnan 2020). ``log_e_detector`` adds up those of several look-backs: a
Shiryaev-Roberts e-detector (Shin, Ramdas, Rinaldo, arXiv 2203.03532), whose mean time to a false alarm at the
threshold A is at least A windows.

What is promised. Where a group counts as at most one observation (rho = 1), only the mean of a group's proportions must
stay in the ball: with weights that sum to at most one, the weighted geometric mean of the likelihood ratios is at most
their arithmetic mean, so its expectation is at most 1 whatever happens inside a group. Where it counts as more, rho
must not be underestimated; ``intraclass`` therefore gives an upper confidence limit. It assumes that groups are alike:
a trend or a season that the reference groups did not see *is* drift.

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
from scipy.special import gammaln, logsumexp, xlogy
from scipy.stats import chi2

__all__ = [
    "LOOK_BACKS",
    "coarsen",
    "effective_counts",
    "intraclass",
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


def intraclass(group_counts: NDArray[Any], *, ordered: bool, confidence: float = 0.9) -> float:
    """Upper confidence limit of the intraclass correlation of rows in a group, in [0, 1], from counts [groups, bins].

    Pearson's overdispersion of the groups, over its lower quantile with groups - 1 degrees of freedom (not times bins:
    rows of a group move all bins together), turned into a correlation by Kish's design effect. With ``ordered`` each
    group is compared with the next one, not with the pool of all, so that a slow or single change between the groups
    does not count as correlation within them. Fewer than two groups, or a single bin, tell nothing: 1.
    """
    counts = np.asarray(group_counts, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    counts = counts[:, counts.sum(axis=0) > 0]
    groups, bins = counts.shape
    if groups < 2 or bins < 2:
        return 1.0
    sizes = counts.sum(axis=1, keepdims=True)
    pool = counts.sum(axis=0) / counts.sum()
    if ordered:
        shares = counts / sizes
        squares = (shares[1:] - shares[:-1]) ** 2 / (pool * (1 / sizes[1:] + 1 / sizes[:-1]))
    else:
        squares = (counts - sizes * pool) ** 2 / (sizes * pool)
    overdispersion = float(squares.sum()) / ((groups - 1) * (bins - 1))
    upper = overdispersion * (groups - 1) / float(chi2.ppf(1 - confidence, groups - 1))
    typical = float((sizes**2).sum() / sizes.sum())
    return float(np.clip((upper - 1) / max(typical - 1, 1e-9), 0.0, 1.0))


def effective_counts(group_counts: NDArray[Any], rho: float) -> Floats:
    """Counts [groups, bins] scaled so that a group of n rows weighs n / (1 + (n - 1) rho)."""
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
    return float(chi2.ppf(1 - error, max(bins - 1, 1))) / (2 * worth)


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
