"""The realised loss of recent mature days against the reference days.

Two things are told. An interval that resamples days says how well the level is known; on data whose days differ it is
wide, and no decision rests on it. Evidence that the level rose comes from betting on daily means against the
one-sided 95 % upper limit of the reference's mean (Student's t over its groups): the null hypothesis is that each
day's mean loss, given the days before, is at most that bound on average. The change itself is split into other scores
and other truth at the same score.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from mintage.monitor.attribute import split_loss
from mintage.monitor.evidence import Budget, LossEvidence
from mintage.profile.bins import bin_numbers, quantile_edges
from mintage.stats.groups import GroupedBootstrap, expanded_percentile
from mintage.stats.interval import Interval
from mintage.stats.loss import brier_rows, log_loss_rows
from mintage.stats.sequential import log_sr_mean_above

__all__ = ["LOSSES", "Reference", "measure_loss"]

LossRows = Callable[[NDArray[Any], NDArray[np.float64]], NDArray[np.float64]]

LOSSES: dict[str, LossRows] = {"log_loss": log_loss_rows, "brier": brier_rows}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The model on the rows that its profile was built on: scores, true labels, and the group (day) of each."""

    scores: NDArray[np.float64]
    labels: NDArray[np.float64]
    groups: NDArray[Any]


def measure_loss(
    reference: Reference,
    *,
    loss: str,
    days: NDArray[np.datetime64],
    scores: NDArray[np.float64],
    labels: NDArray[np.float64],
    recent_from: np.datetime64,
    budget: Budget,
    seed: int,
    draws: int,
) -> LossEvidence | None:
    """Evidence from labelled rows of mature days, in the order of days; None without such rows.

    The level and its parts are those of the days from ``recent_from`` on (what matured since the last look), or of the
    last 30 mature ones if there are none.
    """
    if not len(days):
        return None
    losses, before = LOSSES[loss](labels, scores), LOSSES[loss](reference.labels, reference.scores)
    names, place = np.unique(days, return_inverse=True)
    recent_days = names[names >= recent_from] if (names >= recent_from).any() else names[-30:]
    recent = days >= recent_days[0]
    bound = _upper_bound(before, reference.groups)
    log_evidence = None
    if bound is not None:
        means = np.bincount(place, weights=losses) / np.bincount(place)
        path = log_sr_mean_above(means, mean=bound, low=0.0)
        log_evidence = float(path[names >= recent_days[0]].max())
    edges = quantile_edges(reference.scores)
    return LossEvidence(
        status=budget.status(log_evidence),
        log_evidence=log_evidence,
        loss=loss,
        rows=int(recent.sum()),
        days=tuple(str(day) for day in recent_days),
        mean=float(losses[recent].mean()),
        interval=_interval(losses[recent], days[recent], seed=seed, draws=draws),
        reference=float(before.mean()),
        reference_interval=_interval(before, reference.groups, seed=seed, draws=draws),
        bound=bound,
        change=split_loss(
            reference=(bin_numbers(edges, reference.scores), before),
            now=(bin_numbers(edges, scores[recent]), losses[recent]),
        ),
    )


def _upper_bound(losses: NDArray[np.float64], groups: NDArray[Any]) -> float | None:
    """One-sided 95 % upper limit of the mean of the groups' mean losses; None with fewer than three groups."""
    place = np.unique(groups, return_inverse=True)[1]
    means = np.bincount(place, weights=losses) / np.bincount(place)
    count = len(means)
    if count < 3:
        return None
    spread = float(means.std(ddof=1)) / math.sqrt(count)
    bound = float(means.mean()) + float(stdtrit(count - 1, 0.95)) * spread
    return bound if bound > 0 else None


def _interval(values: NDArray[np.float64], groups: NDArray[Any], *, seed: int, draws: int) -> Interval | None:
    bootstrap = GroupedBootstrap(groups, seed=seed, draws=draws)
    if bootstrap.groups < 3:
        return None
    return expanded_percentile(bootstrap.means(values), float(values.mean()), groups=bootstrap.groups)
