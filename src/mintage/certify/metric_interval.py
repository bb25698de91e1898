"""Measure a metric with its interval: alone, as a gain over others on the same rows, or as a gap between two splits.

Closed forms come first: DeLong's for AUC where at least ``CLOSED`` groups (or rows) hold each class, the binomial ones
for a share of independent rows. What is left resamples groups. Where groups are few the two agree in width, and the
resampling says more plainly when there is too little to tell: docs/spec/policy.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.check import Resampling
from mintage.certify.evidence import Split
from mintage.certify.measure import Measurement, bootstrap_of, measured_samples
from mintage.certify.metric import Metric
from mintage.certify.metric_form import Area, Means
from mintage.stats.binomial import clopper_pearson, wilson
from mintage.stats.delong import AucVariances, auc_interval, difference_interval, gap_interval
from mintage.stats.interval import Interval

__all__ = ["CLOSED", "measure_gains", "measure_gap", "measure_metric"]

CLOSED = 20
"""Groups with each class from which on the variance of an AUC is taken in closed form."""
_FEW_HITS = 10
_GROUPS, _ROWS = "resampled groups", "resampled rows"


def measure_metric(metric: Metric, split: Split, resampling: Resampling) -> Measurement:
    """The metric of the split's answers."""
    if isinstance(metric.form, Area):
        found = metric.form.variances(split.labels, [split.answers], _codes(split))
        if found.units >= CLOSED:
            return _closed(found, 0.0, auc_interval(found, confidence=resampling.confidence), split)
    if isinstance(metric.form, Means) and split.groups is None:
        counts = metric.form.counts(split.labels, split.answers)
        if counts is not None and counts[1]:
            return _share(*counts, split=split, confidence=resampling.confidence)
    bootstrap = bootstrap_of(split, resampling, stream="holdout")
    return measured_samples(
        metric.value(split.labels, split.answers),
        metric.samples(split.labels, split.answers, bootstrap),
        rows=split.rows,
        groups=[bootstrap.groups],
        resampling=resampling,
        undefined=metric.undefined,
        method=_method(split),
    )


def measure_gains(
    metric: Metric, split: Split, rivals: Mapping[str, Answers], resampling: Resampling
) -> dict[str, Measurement]:
    """How much better the split's answers are than each rival's on the same rows; positive is better."""
    found: dict[str, Measurement] = {}
    if isinstance(metric.form, Area):
        codes = _codes(split)
        for name, rival in rivals.items():
            pair = metric.form.variances(split.labels, [split.answers, rival], codes)
            if pair.units >= CLOSED:
                interval = difference_interval(pair, confidence=resampling.confidence)
                found[name] = _closed(pair, float(pair.aucs[1]), interval, split)
    if len(found) == len(rivals):
        return found
    bootstrap = bootstrap_of(split, resampling, stream="holdout")
    value = metric.value(split.labels, split.answers)
    samples = metric.samples(split.labels, split.answers, bootstrap)
    return {
        name: measured_samples(
            metric.sign * (value - metric.value(split.labels, rival)),
            metric.sign * (samples - metric.samples(split.labels, rival, bootstrap)),
            rows=split.rows,
            groups=[bootstrap.groups],
            resampling=resampling,
            undefined=metric.undefined,
            method=_method(split),
        )
        for name, rival in rivals.items()
    }


def measure_gap(metric: Metric, train: Split, holdout: Split, resampling: Resampling) -> Measurement:
    """How much better the answers to training rows are than those to the hold-out; each is a sample of its own."""
    if isinstance(metric.form, Area):
        ours = metric.form.variances(train.labels, [train.answers], _codes(train))
        others = metric.form.variances(holdout.labels, [holdout.answers], _codes(holdout))
        if min(ours.units, others.units) >= CLOSED:
            interval = gap_interval(ours, others, confidence=resampling.confidence)
            return _closed(
                ours, float(others.aucs[0]), interval, holdout, groups=min(train.group_count, holdout.group_count)
            )
    of_train = bootstrap_of(train, resampling, stream="train")
    of_holdout = bootstrap_of(holdout, resampling, stream="holdout")
    on_train, on_holdout = (metric.value(split.labels, split.answers) for split in (train, holdout))
    samples = metric.samples(train.labels, train.answers, of_train) - metric.samples(
        holdout.labels, holdout.answers, of_holdout
    )
    return measured_samples(
        metric.sign * (on_train - on_holdout),
        metric.sign * samples,
        rows=holdout.rows,
        groups=[of_train.groups, of_holdout.groups],
        resampling=resampling,
        undefined=metric.undefined,
        method=_method(holdout),
    )


def _closed(
    found: AucVariances, less: float, interval: Interval | None, split: Split, *, groups: int | None = None
) -> Measurement:
    assert interval is not None  # every class is in CLOSED groups
    return Measurement(
        estimate=float(found.aucs[0]) - less,
        interval=interval,
        rows=split.rows,
        groups=split.group_count if groups is None else groups,
        method="DeLong" if split.groups is None else "DeLong, summed by group",
    )


def _share(hits: int, trials: int, *, split: Split, confidence: float) -> Measurement:
    exact = min(hits, trials - hits) < _FEW_HITS
    interval = (clopper_pearson if exact else wilson)(hits, trials, confidence)
    method = f"{'Clopper-Pearson' if exact else 'Wilson'}, {hits:,} of {trials:,}"
    return Measurement(estimate=hits / trials, interval=interval, rows=split.rows, groups=split.rows, method=method)


def _codes(split: Split) -> NDArray[np.intp] | None:
    if split.groups is None:
        return None
    return np.unique(split.groups, return_inverse=True)[1].reshape(-1)


def _method(split: Split) -> str:
    return _ROWS if split.groups is None else _GROUPS
