"""Measure a split with an interval that resamples its groups, and conclude a result from the measurement.

When no honest interval exists (one group, too few groups for the confidence asked, one class) the measurement says why,
and the verdict is INCONCLUSIVE, never PASS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mintage.certify.check import Check, CheckResult, Requirement, Resampling
from mintage.certify.evidence import Split
from mintage.certify.example import MOST_EXAMPLES, Example
from mintage.certify.judge import Gate, Verdict, judge, settles_at
from mintage.stats.groups import GroupedBootstrap, expanded_percentile, fewest_groups, is_reachable
from mintage.stats.interval import Interval

__all__ = ["Measurement", "bootstrap_of", "conclude", "exact", "measured_samples", "without_number"]

_STREAMS = {"holdout": 0, "train": 1}
_UNDEFINED = 0.01


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its interval, or with why there is none. ``groups`` is what was resampled; 0 for exact counts;
    ``method`` says how the interval was made."""

    estimate: float | None
    interval: Interval | None
    rows: int
    groups: int = 0
    undecided: str | None = None
    needed: int | None = None
    method: str | None = None


def bootstrap_of(split: Split, resampling: Resampling, *, stream: str) -> GroupedBootstrap:
    """The split's resamples: the same for each check that names the same stream, so that comparisons are paired."""
    seed = np.random.SeedSequence([resampling.seed, _STREAMS[stream]])
    if split.groups is None:
        return GroupedBootstrap.of_rows(split.rows, seed=seed, draws=resampling.draws)
    return GroupedBootstrap(split.groups, seed=seed, draws=resampling.draws)


def measured_samples(
    estimate: float,
    samples: NDArray[np.float64],
    *,
    rows: int,
    groups: Sequence[int],
    resampling: Resampling,
    undefined: str = "a value of it is no number",
    method: str | None = None,
) -> Measurement:
    """The measurement of a statistic from its resamples; ``groups`` are the counts of the samples resampled.

    A resample may have no value, which ``undefined`` explains (all its rows have one class). Up to 1 % of such draws
    are left out, more leave it open.
    """
    fewest = min(groups)
    without = np.isnan(samples)
    needed = fewest_groups(resampling.confidence, resampling.draws)
    why: str | None = None
    if math.isnan(estimate):
        why, needed = f"it is not defined: {undefined}", None
    elif not is_reachable(fewest, resampling.confidence, resampling.draws):
        why = (
            f"{fewest} {'group gives' if fewest == 1 else 'groups give'} no interval of "
            f"{100 * resampling.confidence:.4g} % with {resampling.draws} draws"
        )
    elif without.mean() > _UNDEFINED:
        share = 100 * without.mean()
        why, needed = f"{share:.0f} % of the resamples have no value ({undefined})", 2 * fewest
    if why is not None:
        value = None if math.isnan(estimate) else estimate
        return Measurement(estimate=value, interval=None, rows=rows, groups=fewest, undecided=why, needed=needed)
    interval = expanded_percentile(samples[~without], estimate, fewest, resampling.confidence)
    return Measurement(estimate=estimate, interval=interval, rows=rows, groups=fewest, method=method)


def exact(value: float, *, rows: int) -> Measurement:
    """The measurement of a number counted on all rows that there are."""
    return Measurement(estimate=value, interval=Interval(low=value, high=value, confidence=1.0), rows=rows)


def conclude(
    check: Check[Any],
    requirement: Requirement,
    *,
    title: str,
    measurement: Measurement,
    gate: Gate,
    unit: str = "",
    needed_unit: str = "groups",
    details: dict[str, float | int | str | bool | None] | None = None,
    also: str = "",
    examples: Sequence[Example] = (),
) -> CheckResult:
    """The result: verdict by ``judge``, the reason in words, and what would settle an INCONCLUSIVE."""
    interval, needed = measurement.interval, measurement.needed
    verdict = "INCONCLUSIVE" if interval is None else judge(interval, gate)
    if verdict == "INCONCLUSIVE" and interval is not None and measurement.estimate is not None and needed is None:
        needed = settles_at(measurement.estimate, interval, gate, measurement.groups or measurement.rows)
    reason = _reason(title, measurement, gate, unit) + also
    if verdict == "INCONCLUSIVE":
        now = measurement.groups if needed_unit == "groups" else measurement.rows
        reason += f"; about {needed:,} {needed_unit} would settle it, {now:,} now" if needed else ""
    return CheckResult(
        requirement=requirement.id,
        check=check.id,
        check_version=check.version,
        title=title,
        severity=requirement.severity,
        verdict=verdict,
        reason=reason,
        estimate=measurement.estimate,
        interval=interval,
        gate=gate,
        unit=unit,
        rows=measurement.rows,
        groups=measurement.groups or None,
        needed=needed if verdict == "INCONCLUSIVE" else None,
        needed_unit=needed_unit if verdict == "INCONCLUSIVE" and needed else None,
        details=(details or {}) | ({"interval by": measurement.method} if interval and measurement.method else {}),
        controls=requirement.controls,
        examples=tuple(examples[:MOST_EXAMPLES]),
    )


def without_number(check: Check[Any], requirement: Requirement, *, verdict: Verdict, reason: str) -> CheckResult:
    """A result that rests on facts and not on a number, or on nothing because it was not measured."""
    return CheckResult(
        requirement=requirement.id,
        check=check.id,
        check_version=check.version,
        title=check.title,
        severity=requirement.severity,
        verdict=verdict,
        reason=reason,
        controls=requirement.controls,
    )


def _reason(title: str, measurement: Measurement, gate: Gate, unit: str) -> str:
    end = f" {unit}" if unit else ""
    words = {"at_least": "at least", "above": "above", "at_most": "at most"}[gate.direction]
    asked = f"{words} {gate.threshold:.4g}{end}"
    if measurement.estimate is None:
        return f"{title}: {measurement.undecided}; required {asked}"
    value = f"{title} {_number(measurement.estimate)}"
    if measurement.interval is None:
        return f"{value}{end}, required {asked}, but {measurement.undecided}"
    if measurement.interval.confidence < 1 and measurement.interval.low < measurement.interval.high:
        value += f" [{_number(measurement.interval.low)}, {_number(measurement.interval.high)}]"
    return f"{value}{end}, required {asked}"


def _number(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.3f}" if 0.001 <= abs(value) < 1000 else f"{value:.3g}"
