"""L1, rows of the hold-out that are in training too.

Rows are compared exactly: all input columns, or all of them and the label. The count covers every row, so it has no
sampling error. The metric without the shared rows is told beside it.

Where columns are few and coarse, rows are equal by chance, and more of them than ``max_share``. Chance repeats
training rows among each other just as often: then what counts is the share that goes beyond it, at the low end of its
interval. Where training does not repeat its rows, each shared row counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.equal_rows import repeated_rows, row_codes
from mintage.certify.evidence import Evidence, Split
from mintage.certify.example import MOST_EXAMPLES, Example, example_of, said
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, exact
from mintage.certify.metric import Metric
from mintage.certify.metric_interval import measure_metric
from mintage.certify.metric_requirement import MetricRequirement
from mintage.stats.interval import Interval
from mintage.stats.proportions import newcombe

__all__ = ["CHECK", "SharedRows", "SharedRowsRequirement"]


class SharedRowsRequirement(MetricRequirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the hold-out may be in training, by ``match``, beyond what chance explains."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.001
    match: Literal["features", "features_and_label"] = "features"


class SharedRows:
    """The check."""

    id = "L1"
    version = 1
    title = "rows shared across the split"
    samples = False
    measured = False
    requirement_type = SharedRowsRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: SharedRowsRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share."""
        train, split, metric = evidence.train, evidence.holdout, requirement.metric_for(evidence.task)
        codes = {label: row_codes(train, split, label=label) for label in (False, True)}
        own, asked = codes[requirement.match == "features_and_label"]
        shared, repeated = asked >= 0, repeated_rows(own, train.groups)
        after = _metric_on(metric, split, ~shared)
        details: dict[str, float | int | str | bool | None] = {
            "by features": int((codes[False][1] >= 0).sum()),
            "by features and label": int((codes[True][1] >= 0).sum()),
            "training rows that repeat": int(repeated.sum()),
            f"{metric.name} with them": _metric_on(metric, split, shared | ~shared),
            f"{metric.name} without them": after,
        }
        measurement, title, also = _measured(shared, repeated, requirement.max_share, resampling)
        if shared.any():
            also += f"; {metric.label} without them {'not defined' if after is None else f'{after:.3f}'}"
        gate = Gate(direction="at_most", threshold=requirement.max_share)
        result = conclude(
            self,
            requirement,
            title=title,
            measurement=measurement,
            gate=gate,
            details=details,
            also=also,
            examples=_examples(evidence, own, asked),
        )
        by_chance = measurement.method is not None
        return _unless_flattered(result, metric, split, ~shared, resampling) if by_chance else result


def _examples(evidence: Evidence, own: NDArray[np.int64], asked: NDArray[np.int64]) -> list[Example]:
    """The first shared rows, each with the first row of training that equals it."""
    split = evidence.holdout
    found = []
    for place in np.flatnonzero(asked >= 0)[:MOST_EXAMPLES].tolist():
        twin, label = int(np.flatnonzero(own == asked[place])[0]), split.labels[place]
        found.append(
            example_of(
                split.columns,
                place,
                of="hold-out",
                answered=said(split.answers.values[place], classes=evidence.classes),
                expected=said(label) if split.task == "regression" else evidence.classes[int(label)],
                about=f"row {place}, training {twin}",
            )
        )
    return found


def _measured(
    shared: NDArray[np.bool_], repeated: NDArray[np.bool_], most: float, resampling: Resampling
) -> tuple[Measurement, str, str]:
    """What is judged, its title and what is told beside it: the share, or what is beyond chance where that decides."""
    rows, count = len(shared), int(shared.sum())
    counted = f" ({count:,} of {rows:,})"
    limit = _beyond_chance(shared, repeated, resampling.confidence)
    if limit is None or count / rows <= most or limit > most:
        return exact(count / rows, rows=rows), "share of hold-out rows in training", counted
    interval = Interval(low=limit, high=limit, confidence=resampling.confidence)
    return (
        Measurement(estimate=limit, interval=interval, rows=rows, method="Newcombe"),
        "share of hold-out rows in training beyond chance, low end of its interval",
        f"; {count / rows:.1%} of the hold-out{counted}, and {repeated.mean():.1%} of training repeats itself too",
    )


def _beyond_chance(shared: NDArray[np.bool_], repeated: NDArray[np.bool_], confidence: float) -> float | None:
    """The low end of the share of shared rows less that of repeated ones; None where training does not repeat."""
    if not repeated.any():
        return None
    interval = newcombe(int(shared.sum()), len(shared), int(repeated.sum()), len(repeated), confidence)
    return max(0.0, interval.low)


def _unless_flattered(
    result: CheckResult, metric: Metric, split: Split, kept: NDArray[np.bool_], resampling: Resampling
) -> CheckResult:
    """The result, INCONCLUSIVE where the rows that are not shared are answered worse than chance explains.

    The rows left are rarer ones and a sample of their own, so both intervals are looked at, not one figure.
    """
    whole = measure_metric(metric, split, resampling)
    rest = measure_metric(metric, _kept(split, kept), resampling) if kept.any() else None
    if whole.interval is None or rest is None or rest.interval is None:
        return result
    worse = rest.interval.high < whole.interval.low if metric.sign > 0 else rest.interval.low > whole.interval.high
    if not worse:
        return result
    ends = " against ".join(f"[{found.low:.3f}, {found.high:.3f}]" for found in (rest.interval, whole.interval))
    reason = f"{result.reason}; but {metric.label} is worse without them, {ends}: chance, or learnt by heart"
    return msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=reason)


def _kept(split: Split, kept: NDArray[np.bool_]) -> Split:
    return replace(
        split,
        columns={name: column[kept] for name, column in split.columns.items()},
        labels=split.labels[kept],
        answers=split.answers[kept],
        groups=None if split.groups is None else split.groups[kept],
        extra={role: column[kept] for role, column in split.extra.items()},
    )


def _metric_on(metric: Metric, split: Split, kept: NDArray[np.bool_]) -> float | None:
    if not kept.any():
        return None
    value = metric.value(split.labels[kept], split.answers[kept])
    return None if np.isnan(value) else value


CHECK = SharedRows()
