"""L4, inputs that give the label away: a column that is made from it, or known only after it.

Each input alone, and whether it is missing, answers for the training rows out of fold (``certify.single``); the
hold-out is not used. The strongest one's AUC (of a regression R²) must be at most ``max``. An honest input may be as
strong: then name it under ``allowed``. The interval's ends are the greatest of the columns looked at: those that come
within 0.05 of ``max``, five at most, or the strongest. That none is found counts only if the label itself, planted as
one more column, is: with few rows, or folds of few groups, nothing would be.

With ``retrain`` the model is trained again with the strongest input's values exchanged between rows, and what that
costs on the hold-out is told: a model that loses nothing did not need it. It decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.ask_retraining import Budget, retrain_all, why_not
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.folds import fold_of
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.certify.metric import Metric, find_metric
from mintage.certify.metric_interval import measure_metric
from mintage.certify.retrained_metric import judging_split
from mintage.certify.retraining import Change
from mintage.certify.single import answers_of, missing_of

__all__ = ["CHECK", "TargetLeakage", "TargetLeakageRequirement"]

_FOLDS, _LOOKED_AT, _NEAR = 5, 5, 0.05


class TargetLeakageRequirement(Requirement, frozen=True, kw_only=True):
    """No input alone may reach more than ``max``; those of ``allowed`` are known to be honest. ``retrain``: tell what
    a model without the strongest one loses, in at most ``budget_s``."""

    max: Annotated[float, Meta(gt=0, le=1)] = 0.95
    allowed: tuple[str, ...] = ()
    retrain: bool = False
    budget_s: Budget = 300.0


class TargetLeakage:
    """The check."""

    id = "L4"
    version = 1
    title = "inputs that give the label away"
    samples = True
    measured = False
    requirement_type = TargetLeakageRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: TargetLeakageRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the strongest input."""
        train = evidence.train
        metric = find_metric("r2" if evidence.task == "regression" else "roc_auc", evidence.task)
        alone = dict(_alone(train, metric, requirement, classes=len(evidence.classes), seed=resampling.seed))
        if not alone:
            reason = f"no input has a value here: {metric.undefined}, or all of them are allowed"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        strongest = sorted(alone, key=lambda name: -alone[name][0])
        near = [name for name in strongest if alone[name][0] >= requirement.max - _NEAR]
        looked = {
            name: measure_metric(metric, replace(train, answers=train.answers.of(alone[name][1])), resampling)
            for name in (near or strongest[:1])[:_LOOKED_AT]
        }
        told = ", ".join(f"{name} {alone[name][0]:.3f}" for name in strongest[1:3])
        control = _control(train, metric, classes=len(evidence.classes), seed=resampling.seed)
        result = conclude(
            self,
            requirement,
            title=f"{metric.label} of {strongest[0]} alone, out of fold, on training rows",
            measurement=_greatest(looked, strongest[0]),
            gate=Gate(direction="at_most", threshold=requirement.max),
            needed_unit=train.unit,
            details={
                **{f"{metric.name} of {name}": alone[name][0] for name in strongest[:20]},
                f"{metric.name} of the label, planted": control,
            },
            also=f"; then {told}" if told else "",
        )
        if result.verdict == "PASS" and control <= requirement.max and requirement.max != 1:
            why = f"the label itself, planted as an input, was not found either ({metric.label} {control:.3f})"
            result = msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=f"{result.reason}; but {why}")
        if not requirement.retrain:
            return result
        return _with_loss(result, evidence, requirement, metric, name=strongest[0], seed=resampling.seed)


def _control(train: Split, metric: Metric, *, classes: int, seed: int) -> float:
    """The metric of the label as an input, by the same folds."""
    folds = fold_of(train.groups, rows=train.rows, count=_FOLDS, seed=seed)
    column = np.asarray(train.labels, dtype=np.float64)
    values = answers_of(column, train.labels, task=train.task, classes=classes, folds=folds)
    return metric.value(train.labels, train.answers.of(values))


def _alone(
    train: Split, metric: Metric, requirement: TargetLeakageRequirement, *, classes: int, seed: int
) -> Iterator[tuple[str, tuple[float, NDArray[np.float64]]]]:
    """By input, and by flag of what is missing, the metric and the answers."""
    folds = fold_of(train.groups, rows=train.rows, count=_FOLDS, seed=seed)
    columns: dict[str, NDArray[Any]] = {}
    for name, column in train.columns.items():
        if name not in requirement.allowed:
            missing = missing_of(column)
            columns |= {name: column} | ({} if missing is None else {f"{name} is missing": missing})
    for name, column in columns.items():
        values = answers_of(column, train.labels, task=train.task, classes=classes, folds=folds)
        found = metric.value(train.labels, train.answers.of(values))
        if not math.isnan(found):
            yield name, (found, values)


def _greatest(looked: dict[str, Measurement], strongest: str) -> Measurement:
    found = looked[strongest]
    intervals = [one.interval for one in looked.values() if one.interval is not None]
    if found.interval is None or len(intervals) < len(looked):
        return found
    widest = msgspec.structs.replace(
        found.interval, low=max(one.low for one in intervals), high=max(one.high for one in intervals)
    )
    return msgspec.structs.replace(found, interval=widest)


def _with_loss(
    result: CheckResult,
    evidence: Evidence,
    requirement: TargetLeakageRequirement,
    metric: Metric,
    *,
    name: str,
    seed: int,
) -> CheckResult:
    """The result with what the model loses without the input ``name``; INCONCLUSIVE where that is not known and it
    would pass."""
    column = name if name in evidence.train.columns else name.removesuffix(" is missing")
    found = retrain_all(evidence, [Change(kind="exchange", column=column)], seed=seed, budget_s=requirement.budget_s)
    if found.why is not None:
        verdict = "INCONCLUSIVE" if result.verdict == "PASS" else result.verdict
        reason = f"{result.reason}; what the model is without {column} is not known, {why_not(found, 1)}"
        return msgspec.structs.replace(result, verdict=verdict, reason=reason)
    split = judging_split(evidence, found.done[0])
    before = metric.value(evidence.holdout.labels, evidence.holdout.answers)
    after = metric.value(split.labels, split.answers)
    reason = (
        f"{result.reason}; retrained without {column}, {metric.label} on the hold-out is {after:.3f}, not {before:.3f}"
    )
    details = result.details | {f"{metric.name} retrained without {column}": None if math.isnan(after) else after}
    return msgspec.structs.replace(result, reason=reason, details=details)


CHECK = TargetLeakage()
