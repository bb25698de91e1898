"""What checks of behaviour have in common: some rows of the hold-out, and how far two answers to a row are apart. Pure.

Rows are drawn without replacement, so that a share among them has the exact binomial bound for the rows of the
hold-out, whatever belongs together in it. Answers differ by the largest difference of their probabilities; numbers by a
share of the number where it is larger than one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.check import Check, CheckResult, Requirement, Resampling
from mintage.certify.evidence import Split
from mintage.certify.example import Example
from mintage.certify.judge import Gate
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.certify.served import Columns, Served
from mintage.stats.binomial import clopper_pearson
from mintage.stats.interval import Interval

__all__ = ["apart", "conclude_share", "differ", "draw_rows", "not_served", "take"]


def draw_rows(split: Split, served: Served, count: int, *, seed: int, stream: int) -> Columns | None:
    """At most ``count`` rows of the split, drawn from those that the model does not refuse; None if it refuses all."""
    accepted = np.flatnonzero(served.accepts(split.columns))
    if len(accepted) == 0:
        return None
    rng = np.random.default_rng([seed, stream])
    return take(split.columns, np.sort(rng.permutation(accepted)[:count]))


def take(columns: Columns, places: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
    """Some rows of columns, in the order of ``places``."""
    return {name: column[places] for name, column in columns.items()}


def apart(one: Answers, other: Answers) -> NDArray[np.float64]:
    """How far the answers of each row are apart."""
    off = np.abs(one.values - other.values)
    if one.task == "regression":
        return np.asarray(off / np.maximum(1.0, np.abs(one.values)), dtype=np.float64)
    return np.asarray(off if off.ndim == 1 else off.max(axis=1), dtype=np.float64)


def differ(one: Answers, other: Answers, *, tolerance: float) -> NDArray[np.bool_]:
    """Which answers differ by more than ``tolerance``, or in their label.

    A label that turns because the answer lies on the threshold, or two classes are equally probable, is none: the
    answers must differ at all.
    """
    off = apart(one, other)
    if one.task == "regression":
        return off > tolerance
    return np.asarray((off > tolerance) | ((one.labels != other.labels) & (off > 1e-12)))


def not_served(check: Check[Any], requirement: Requirement) -> CheckResult:
    """The result where there is no model to ask, or it refuses all rows."""
    reason = f"{check.title}: not measured, the served model cannot be asked about the rows of the hold-out"
    return without_number(check, requirement, verdict="INCONCLUSIVE", reason=reason)


def conclude_share(
    check: Check[Any],
    requirement: Requirement,
    *,
    title: str,
    hits: int,
    rows: int,
    of: int,
    most: float,
    resampling: Resampling,
    details: dict[str, float | int | str | bool | None] | None = None,
    also: str = "",
    examples: Sequence[Example] = (),
) -> CheckResult:
    """A share of ``rows`` rows drawn from ``of``: with its binomial interval, exact where all were looked at."""
    interval = Interval(low=hits / rows, high=hits / rows, confidence=1.0)
    if rows < of:
        interval = clopper_pearson(hits, rows, resampling.confidence)
    return conclude(
        check,
        requirement,
        title=title,
        measurement=Measurement(
            estimate=hits / rows,
            interval=interval,
            rows=rows,
            method="all rows" if rows == of else f"Clopper-Pearson, {hits:,} of {rows:,}",
        ),
        gate=Gate(direction="at_most", threshold=most),
        needed_unit="rows",
        details=details,
        also=f" ({hits:,} of {rows:,} rows){also}",
        examples=examples,
    )
