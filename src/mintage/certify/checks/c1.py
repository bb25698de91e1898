"""C1, calibration: a probability of 0.8 comes true eight times in ten.

Of two classes it is the probability of the second, of more that of the class which is named. Three things are asked:
the slope of Cox's line must surely be neither too flat nor too steep, and the error in bins of equal size be small,
less the noise that a perfect model shows too. The result tells the one that is worst.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.answers import Task
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate, judge
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, bootstrap_of, conclude, measured_samples
from mintage.errors import PolicyUnfitError
from mintage.stats.calibration import CoxFit, cox, equal_bins, squared_error

__all__ = ["CHECK", "Calibration", "CalibrationRequirement"]

_WORST = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}


class CalibrationRequirement(Requirement, frozen=True, kw_only=True):
    """Cox's slope must lie in ``slope``, the calibration error be at most ``max_error``, over ``bins`` bins."""

    slope: tuple[Annotated[float, Meta(gt=0)], float] = (0.8, 1.25)
    max_error: Annotated[float, Meta(gt=0)] = 0.05
    bins: Annotated[int, Meta(ge=2, le=100)] = 15

    def __post_init__(self) -> None:
        if not self.slope[0] <= 1 <= self.slope[1]:
            raise ValueError("`slope` is the least and the largest slope, and 1 lies between")

    def check_task(self, task: Task) -> None:
        """See Requirement."""
        if task == "regression":
            raise PolicyUnfitError(
                f"the requirement {self.id} asks for the calibration of probabilities, which a regression has not",
                expected="a model of classes",
                found=task,
                hint="leave C1 out, and ask for an error in units of the target with F1",
            )


class Calibration:
    """The check."""

    id = "C1"
    version = 0
    title = "calibration"
    samples = True
    measured = False
    requirement_type = CalibrationRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: CalibrationRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge slope and error, and tell the worst."""
        split = evidence.holdout
        p, hits = _told(split)
        fit = cox(hits, p, _codes(split))
        slope = _slope(fit, split, resampling)
        error = _error(split, p, hits, requirement.bins, resampling)
        asked = [
            ("calibration slope", slope, Gate(direction="at_least", threshold=requirement.slope[0])),
            ("calibration slope", slope, Gate(direction="at_most", threshold=requirement.slope[1])),
            ("calibration error", error, Gate(direction="at_most", threshold=requirement.max_error)),
        ]
        title, measurement, gate = min(asked, key=lambda item: _WORST[_verdict(item[1], item[2])])
        other = error if measurement is slope else slope
        name = "error" if measurement is slope else "slope"
        return conclude(
            self,
            requirement,
            title=title,
            measurement=measurement,
            gate=gate,
            needed_unit=split.unit,
            details=_details(fit, slope, error, resampling.confidence),
            also="" if other.estimate is None else f"; {name} {other.estimate:.3f}",
        )


def _told(split: Split) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability told for each row, and whether it came true."""
    if split.task == "binary":
        return split.scores, split.labels == 1
    return split.answers.values.max(axis=1), split.answers.labels == split.labels


def _codes(split: Split) -> NDArray[np.intp] | None:
    return None if split.groups is None else np.unique(split.groups, return_inverse=True)[1].reshape(-1)


def _slope(fit: CoxFit | None, split: Split, resampling: Resampling) -> Measurement:
    groups = split.group_count
    if fit is None:
        why = "it is not defined: all rows have one class or one answer, or the answers tell all rows apart"
        return Measurement(estimate=None, interval=None, rows=split.rows, groups=groups, undecided=why)
    return Measurement(
        estimate=fit.slope,
        interval=fit.slope_interval(resampling.confidence),
        rows=split.rows,
        groups=groups,
        method="sandwich" if split.groups is None else "sandwich, summed by group",
    )


def _error(
    split: Split, p: NDArray[np.float64], hits: NDArray[np.bool_], bins: int, resampling: Resampling
) -> Measurement:
    """The root of the mean squared gap of the bins; each draw carries the noise twice."""
    of = equal_bins(p, bins)
    count = int(of.max()) + 1
    sizes = np.bincount(of, minlength=count).astype(np.float64)
    shares = sizes / split.rows
    gap = hits - p
    bootstrap = bootstrap_of(split, resampling, stream="holdout")
    inside = [(of == place).astype(np.float64) for place in range(count)]
    columns = bootstrap.mean_columns([*(part * gap for part in inside), *inside])
    drawn = np.column_stack(columns[:count]) / np.maximum(np.column_stack(columns[count:]), 1e-12)
    noise = drawn.var(axis=0)
    gaps = np.bincount(of, weights=gap, minlength=count) / np.maximum(sizes, 1.0)
    return measured_samples(
        float(np.sqrt(squared_error(gaps, shares, noise))),
        np.sqrt(squared_error(drawn, shares, noise, times=2.0)),
        rows=split.rows,
        groups=[bootstrap.groups],
        resampling=resampling,
        method="resampled rows" if split.groups is None else "resampled groups",
    )


def _verdict(measurement: Measurement, gate: Gate) -> str:
    return "INCONCLUSIVE" if measurement.interval is None else judge(measurement.interval, gate)


def _details(
    fit: CoxFit | None, slope: Measurement, error: Measurement, confidence: float
) -> dict[str, float | int | str | bool | None]:
    found: dict[str, float | int | str | bool | None] = {"slope": slope.estimate, "error": error.estimate}
    if error.interval is not None:
        found |= {"error at most": error.interval.high}
    if fit is not None:
        steep, level = fit.slope_interval(confidence), fit.intercept_interval(confidence)
        found |= {"slope from": steep.low, "slope to": steep.high}
        found |= {"intercept": fit.intercept, "intercept from": level.low, "intercept to": level.high}
    return found


CHECK = Calibration()
