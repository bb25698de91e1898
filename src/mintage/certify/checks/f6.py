"""F6, labels exchanged at random: a pipeline that is trained on them must know nothing.

The labels are exchanged between the rows of each table that has them, where the pipeline first reads it, and the model
is trained again, ``times`` times. What still tells the labels of the hold-out better than chance has them from
elsewhere: a second file, a feature that is made from labels of all rows, rows of the hold-out that are trained on.

Two hold-outs are looked at: the recorded one with its true labels, and, where the pipeline makes the hold-out anew or
reads it, that one with the labels that it then has. The interval is of the mean over the retrainings, Student's, with
the half-width of the hold-out's own interval added in quadrature: a model of exchanged labels may order rows well or
badly by luck, always alike, so one retraining says little. PASS means that chance lies in the interval or above it, and
that the model itself is told from chance on the same rows: else a leak would not be found either.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from scipy import special

from mintage.certify.ask_retraining import Budget, not_retrained, retrain_all
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate, settles_at
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.certify.metric import Metric
from mintage.certify.metric_interval import measure_metric
from mintage.certify.retrained_metric import chance_of, recorded_split, remade_split, skill_metric
from mintage.certify.retraining import Change, Retrained
from mintage.stats.interval import Interval

__all__ = ["CHECK", "LabelScramble", "LabelScrambleRequirement"]


class LabelScrambleRequirement(Requirement, frozen=True, kw_only=True):
    """Retrained ``times`` times with exchanged labels, in at most ``budget_s``."""

    times: Annotated[int, Meta(ge=3, le=100)] = 5
    budget_s: Budget = 300.0


class LabelScramble:
    """The check."""

    id = "F6"
    version = 0
    title = "retrained with exchanged labels"
    samples = True
    measured = False
    requirement_type = LabelScrambleRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: LabelScrambleRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the low end of what is left."""
        label = None if evidence.spec is None else evidence.spec.targets[0]
        changes = [Change(kind="exchange", column=label, number=place) for place in range(requirement.times)]
        found = retrain_all(evidence, changes, seed=resampling.seed, budget_s=requirement.budget_s)
        if found.why is not None:
            return not_retrained(self, requirement, found)
        metric, views = skill_metric(evidence.task), _views(evidence, found.done)
        each = msgspec.structs.replace(resampling, confidence=1 - (1 - resampling.confidence) / len(views))
        looked = {name: _mean(metric, splits, each) for name, splits in views.items()}
        open_ones = [view.undecided for view in looked.values() if view.undecided]
        if open_ones:
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=f"{self.title}: {open_ones[0]}")
        low = max(view.low for view in looked.values())
        result = conclude(
            self,
            requirement,
            title=f"low end of the interval of {metric.label} with exchanged labels",
            measurement=Measurement(
                estimate=low,
                interval=Interval(low=low, high=low, confidence=resampling.confidence),
                rows=evidence.holdout.rows,
                groups=evidence.holdout.group_count,
                method="Student's over the retrainings, and the hold-out's",
            ),
            gate=Gate(direction="at_most", threshold=chance_of(evidence.task)),
            details=_details(metric, looked),
            also="".join(f"; {view.words(name)}" for name, view in looked.items()),
        )
        return _unless_blind(result, measure_metric(metric, evidence.holdout, each), metric, evidence.holdout)


class _Mean(msgspec.Struct, frozen=True, kw_only=True):
    """The metric of each retraining, and the low end of the interval of their mean."""

    values: tuple[float, ...] = ()
    low: float = -math.inf
    undecided: str | None = None

    def words(self, name: str) -> str:
        """For people."""
        mean, least, most = np.mean(self.values), min(self.values), max(self.values)
        return f"by {name} labels {mean:.3f} on average ({least:.3f} to {most:.3f})"


def _views(evidence: Evidence, done: tuple[Retrained, ...]) -> dict[str, list[Split]]:
    """The hold-outs to look at, by whose labels they have."""
    found = {"the recorded": [recorded_split(evidence, one) for one in done]}
    remade = [split for one in done if (split := remade_split(evidence, one)) is not None]
    return found | ({"the exchanged": remade} if len(remade) == len(done) else {})


def _details(metric: Metric, looked: dict[str, _Mean]) -> dict[str, float | int | str | bool | None]:
    """The metric of each retraining, by whose labels."""
    return {
        f"{metric.label} by {name} labels, {place}": value
        for name, view in looked.items()
        for place, value in enumerate(view.values, start=1)
    }


def _mean(metric: Metric, splits: list[Split], resampling: Resampling) -> _Mean:
    measured = [measure_metric(metric, split, resampling) for split in splits]
    open_ones = [one for one in measured if one.interval is None or one.estimate is None]
    if open_ones:
        return _Mean(undecided=open_ones[0].undecided or metric.undefined)
    values = [one.estimate for one in measured if one.estimate is not None]
    halves = [one.estimate - one.interval.low for one in measured if one.estimate is not None and one.interval]
    student = float(special.stdtrit(len(values) - 1, (1 + resampling.confidence) / 2))
    over = student * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    low = float(np.mean(values)) - math.hypot(over, float(np.mean(halves)))
    return _Mean(values=tuple(values), low=low)


def _unless_blind(result: CheckResult, own: Measurement, metric: Metric, split: Split) -> CheckResult:
    """The result, INCONCLUSIVE where it passes on a hold-out on which the model itself is not told from chance."""
    assert result.gate is not None
    above = Gate(direction="above", threshold=result.gate.threshold)
    if result.verdict != "PASS" or (own.interval is not None and above.met_by(own.interval.low)):
        said = "" if own.estimate is None else f"; the model itself {own.estimate:.3f}"
        return msgspec.structs.replace(result, reason=result.reason + said)
    needed = None
    if own.interval is not None and own.estimate is not None:
        needed = settles_at(own.estimate, own.interval, above, split.group_count)
    reason = (
        f"{result.reason}; but {metric.label} of the model itself is not told from chance on this hold-out, so a leak "
        "would not be either" + (f": about {needed:,} {split.unit} would settle it" if needed else "")
    )
    unit = split.unit if needed else None
    return msgspec.structs.replace(result, verdict="INCONCLUSIVE", reason=reason, needed=needed, needed_unit=unit)


CHECK = LabelScramble()
