"""Evidence that traffic moved away from the profile, stream by stream, day by day.

The unit is a day: ``stats.counts.clustering`` measures how much rows of a day go together and how long days remember,
and a day's rows count for as many independent ones as that leaves. A change must exceed what the model file calls
material *and* what the reference's own days leave uncertain: with a week of reference days, weather cannot be shown to
have moved, however large the change looks, and ``reference_worth`` says so. Bins are merged to at most twelve (common
categories first), since each one costs evidence; the effect is measured on all of them.

Evidence is kept over look-backs of whole weeks. The highest of the recent days counts, so that looking once a month
misses no alarm that looking daily would have raised.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mintage.monitor.attribute import rank
from mintage.monitor.evidence import Budget, DriftEvidence, StreamEvidence
from mintage.monitor.series import DriftPoint
from mintage.monitor.windows import DayCounts
from mintage.profile.profile import SCORE, Profile, Stream
from mintage.stats.counts import (
    clustering,
    coarsen,
    effective_counts,
    js_distance,
    log_e_detector,
    reference_distribution,
    reference_radius,
)

__all__ = ["measure_drift"]

_REFERENCE_ERROR = 0.05
_SMOOTH_DAYS = 28


def measure_drift(
    profile: Profile,
    counts: DayCounts,
    *,
    materiality: float,
    budget: Budget,
    recent_from: np.datetime64,
    loss_shifts: dict[str, float],
) -> tuple[DriftEvidence, tuple[DriftPoint, ...]]:
    """Evidence of each stream over the days from ``recent_from`` on, and its course over all days.

    ``materiality`` is the divergence (nats) that traffic may have from the reference; ``loss_shifts`` what each
    stream's shift does to the loss, for the ranking, where it is known.
    """
    recent = counts.days >= recent_from
    found, points = [], []
    for stream in profile.streams:
        evidence, course = _stream(
            stream,
            counts,
            materiality=materiality,
            budget=budget,
            recent=recent,
            loss_shift=loss_shifts.get(stream.name),
        )
        found.append(evidence)
        points.extend(course)
    days = counts.days[recent]
    rows = counts.streams[SCORE][recent].sum() if len(days) else 0
    drift = DriftEvidence(
        streams=rank(found),
        days=len(days),
        rows=int(rows),
        recent=(str(days[0]), str(days[-1])) if len(days) else None,
        reference_groups=profile.groups,
    )
    return drift, tuple(points)


def _stream(
    stream: Stream,
    counts: DayCounts,
    *,
    materiality: float,
    budget: Budget,
    recent: NDArray[np.bool_],
    loss_shift: float | None,
) -> tuple[StreamEvidence, list[DriftPoint]]:
    blocks = np.array(stream.blocks, dtype=np.float64)
    windows = counts.streams[stream.name].astype(np.float64)
    path, rho, worth, radius = _evidence(_in_order(stream, blocks), _in_order(stream, windows), materiality)
    here = path[recent]
    highest = float(here.max()) if len(here) else -math.inf
    over = np.flatnonzero(here >= budget.alarm)
    now = windows[recent].sum(axis=0)
    before, after = _shares(blocks.sum(axis=0)), _shares(now)
    change = after - before
    gained, lost = int(np.argmax(change)), int(np.argmin(change))
    labels = stream.labels
    evidence = StreamEvidence(
        name=stream.name,
        status=budget.status(_finite(highest)),
        log_evidence=_finite(highest),
        now=_finite(float(here[-1])) if len(here) else None,
        since=str(counts.days[recent][over[0]]) if len(over) else None,
        effect=js_distance(before, after) if now.sum() else 0.0,
        gained=(labels[gained], float(before[gained]), float(after[gained])),
        lost=(labels[lost], float(before[lost]), float(after[lost])),
        loss_shift=loss_shift,
        clustering=rho,
        reference_worth=worth,
        radius=_finite(radius),
    )
    course = []
    cumulative = np.vstack([np.zeros(windows.shape[1]), np.cumsum(windows, axis=0)])
    for index, day in enumerate(counts.days):
        span = cumulative[index + 1] - cumulative[max(index + 1 - _SMOOTH_DAYS, 0)]
        effect = js_distance(before, _shares(span))
        log_evidence = _finite(float(path[index]))
        course.append(DriftPoint(stream=stream.name, day=str(day), log_evidence=log_evidence, effect=effect))
    return evidence, course


def _evidence(
    blocks: NDArray[np.float64], windows: NDArray[np.float64], materiality: float
) -> tuple[NDArray[np.float64], float, float, float]:
    """Log evidence after each day, with the clustering, the reference's worth and the radius that it used."""
    rough = coarsen(reference_distribution(blocks, 0.0)[0], math.inf)
    blocks, windows = _merge(blocks, rough), _merge(windows, rough)
    rho = clustering(blocks, windows)
    reference, worth = reference_distribution(blocks, rho)
    fine = coarsen(reference, worth)
    reference = _merge(reference[None, :], fine)[0]
    radius = materiality + reference_radius(len(reference), worth, error=_REFERENCE_ERROR)
    path = log_e_detector(_merge(effective_counts(windows, rho), fine), reference, radius=radius)
    return path, rho, worth, radius


def _in_order(stream: Stream, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bins in the order in which neighbours may be merged: categories by how common they are in the reference."""
    if stream.kind == "number":
        return counts
    return counts[:, np.argsort(-np.array(stream.total), kind="stable")]


def _merge(counts: NDArray[np.float64], group: NDArray[np.int64]) -> NDArray[np.float64]:
    merged = np.zeros((len(counts), int(group.max()) + 1))
    np.add.at(merged.T, group, counts.T)
    return merged


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / max(float(counts.sum()), 1.0)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
