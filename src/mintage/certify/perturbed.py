"""How much of a metric is lost when the rows are perturbed: paired, with the worst of several perturbations told.

The loss is a share of the metric's value on the rows as they are. Where no perturbation changes a row (noise that whole
numbers swallow) nothing is shown: INCONCLUSIVE. A row that the model refuses once it is perturbed would not be answered
when it is served, and one that is impossible then does not occur, so it keeps its answer, and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from mintage.certify.answers import Answers
from mintage.certify.check import Check, CheckResult, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.impossible import impossible_rows
from mintage.certify.judge import Gate
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.certify.metric import Metric
from mintage.certify.metric_interval import measure_gains
from mintage.certify.metric_requirement import MetricRequirement
from mintage.certify.probing import not_served, take
from mintage.certify.served import Columns, Served
from mintage.stats.interval import Interval

__all__ = ["Share", "conclude_losses"]

Share = Annotated[float, Meta(gt=0, lt=1)]


def conclude_losses(
    check: Check[Any],
    requirement: MetricRequirement,
    evidence: Evidence,
    perturbed: Mapping[str, Columns],
    *,
    max_loss: float,
    resampling: Resampling,
    told: Mapping[str, Columns] | None = None,
) -> CheckResult:
    """Judge the worst loss over ``perturbed``; losses over ``told`` stand in the details alone."""
    served, split, metric = evidence.served, evidence.holdout, requirement.metric_for(evidence.task)
    if served is None:
        return not_served(check, requirement)
    value = metric.value(split.labels, split.answers)
    if not np.isfinite(value) or value == 0:
        reason = f"{check.title}: {metric.label} has no value on the hold-out as it is ({metric.undefined})"
        return without_number(check, requirement, verdict="INCONCLUSIVE", reason=reason)
    if not any(_changed(split.columns, columns) for columns in perturbed.values()):
        reason = f"{check.title}: not measured, {', '.join(perturbed)} changes no row of the hold-out: ask for more"
        return without_number(check, requirement, verdict="INCONCLUSIVE", reason=reason)
    answers, refused, impossible = _ask(served, evidence, {**perturbed, **(told or {})})
    gains = measure_gains(metric, split, {name: answers[name] for name in perturbed}, resampling)
    shares = {name: _share(item, abs(value)) for name, item in gains.items()}
    worst = max(shares, key=lambda name: _rank(shares[name]))
    details: dict[str, float | int | str | bool | None] = {"worst": worst, metric.name: value}
    details |= {f"loss, {name}": _loss(metric, value, split, answers[name]) for name in answers}
    if refused:
        details["refused by the signature"] = refused
    if impossible:
        details["impossible once perturbed"] = impossible
    return conclude(
        check,
        requirement,
        title=f"share of {metric.label} lost to {check.title}",
        measurement=_most(list(shares.values())),
        gate=Gate(direction="at_most", threshold=max_loss),
        needed_unit=split.unit,
        details=details,
        also=f" (worst: {worst})",
    )


def _changed(before: Columns, after: Columns) -> bool:
    """Whether any value is another; missing is equal to missing."""
    for name, column in before.items():
        differ = column != after[name]
        if column.dtype.kind != "O":
            differ &= ~(np.isnan(column) & np.isnan(after[name]))
        if np.any(differ):
            return True
    return False


def _ask(served: Served, evidence: Evidence, perturbed: Mapping[str, Columns]) -> tuple[dict[str, Answers], int, int]:
    """The answers to each, and how many rows kept theirs because they were refused, or could not occur."""
    split, found, refused, excluded = evidence.holdout, {}, 0, 0
    for name, columns in perturbed.items():  # one after another: all at once would be as many tables in memory
        values, accepted = split.answers.values.copy(), served.accepts(columns)
        impossible = impossible_rows(evidence.conditions, columns)
        asked = accepted & ~impossible
        if asked.any():
            values[asked] = served.ask(take(columns, np.flatnonzero(asked))).values
        found[name] = split.answers.of(values)
        refused += int((~accepted).sum())
        excluded += int((accepted & impossible).sum())
    return found, refused, excluded


def _loss(metric: Metric, value: float, split: Split, answers: Answers) -> float | None:
    after = metric.value(split.labels, answers)
    return None if np.isnan(after) else metric.sign * (value - after) / abs(value)


def _share(item: Measurement, of: float) -> Measurement:
    interval = item.interval
    if interval is not None:
        interval = Interval(low=interval.low / of, high=interval.high / of, confidence=interval.confidence)
    estimate = None if item.estimate is None else item.estimate / of
    return msgspec.structs.replace(item, estimate=estimate, interval=interval)


def _rank(item: Measurement) -> float:
    return np.inf if item.interval is None or item.estimate is None else item.estimate


def _most(items: list[Measurement]) -> Measurement:
    """All must meet the gate: the ends are the largest of all; what has no interval leaves it open."""
    for item in items:
        if item.interval is None or item.estimate is None:
            return item
    intervals = [item.interval for item in items if item.interval is not None]
    interval = Interval(
        low=max(item.low for item in intervals),
        high=max(item.high for item in intervals),
        confidence=intervals[0].confidence,
    )
    estimate = max(item.estimate for item in items if item.estimate is not None)
    return msgspec.structs.replace(items[0], estimate=estimate, interval=interval)
