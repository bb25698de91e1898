"""D5, how far the hold-out's values are from those of training: the size of the drift, not whether there is any.

The population stability index of each input and of the label, over levels (``certify.levels``), with an interval that
resamples both splits by group. The ends are the greatest of all columns. Where the hold-out is later than training
it should differ: then the index is told and not required.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.levels import Levels, column_levels, levels_of
from mintage.certify.measure import Measurement, bootstrap_of, conclude
from mintage.certify.reported import reported_by_time
from mintage.certify.times import is_by_time
from mintage.stats.groups import fewest_groups, is_reachable
from mintage.stats.interval import Interval
from mintage.stats.stability import psi, stability

__all__ = ["CHECK", "Drift", "DriftRequirement"]

_LABEL = "the label"


class DriftRequirement(Requirement, frozen=True, kw_only=True):
    """The index of no column may be over ``max``: 0.1 is usually called small, 0.25 large."""

    max: Annotated[float, Meta(gt=0)] = 0.2


class Drift:
    """The check."""

    id = "D5"
    version = 0
    title = "drift from training to hold-out"
    samples = True
    measured = False
    requirement_type = DriftRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: DriftRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the column that is farthest."""
        train, holdout = evidence.train, evidence.holdout
        levels = [*levels_of(evidence, train.columns), _labels(train, holdout)]
        found = {one.name: float(psi(*_counts(one))) for one in levels}
        order = sorted(found, key=lambda name: -found[name])
        measurement = _measured(levels, evidence, resampling)
        told = ", ".join(f"{name} {found[name]:.3f}" for name in order[:3])
        result = conclude(
            self,
            requirement,
            title=f"largest stability index (PSI) of {len(levels)} columns",
            measurement=measurement,
            gate=Gate(direction="at_most", threshold=requirement.max),
            needed_unit=holdout.unit,
            details={f"psi of {name}": found[name] for name in order[:20]},
            also=f"; as counted: {told}",
        )
        return reported_by_time(result) if is_by_time(evidence) else result


def _labels(train: Split, holdout: Split) -> Levels:
    ours, theirs = (np.asarray(split.labels, dtype=np.float64) for split in (train, holdout))
    return column_levels(_LABEL, ours, theirs)


def _counts(one: Levels) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    size = len(one.names)
    return np.bincount(one.train, minlength=size), np.bincount(one.holdout, minlength=size)


def _measured(levels: list[Levels], evidence: Evidence, resampling: Resampling) -> Measurement:
    train, holdout = evidence.train, evidence.holdout
    units, draws = min(train.group_count, holdout.group_count), resampling.draws
    if not is_reachable(units, resampling.confidence, draws):
        needed = fewest_groups(resampling.confidence, draws)
        why = f"{units} groups give no interval of {100 * resampling.confidence:.4g} % with {draws} draws"
        return Measurement(estimate=None, interval=None, rows=holdout.rows, groups=units, undecided=why, needed=needed)
    ours = _drawn(train, [one.train for one in levels], levels, resampling, stream="train")
    theirs = _drawn(holdout, [one.holdout for one in levels], levels, resampling, stream="holdout")
    each = [
        stability(*_counts(one), mine, other, units=units, confidence=resampling.confidence)
        for one, mine, other in zip(levels, ours, theirs, strict=True)
    ]
    interval = Interval(
        low=max(one.interval.low for one in each),
        high=max(one.interval.high for one in each),
        confidence=resampling.confidence,
    )
    method = f"resampled {holdout.unit}, less what chance adds"
    return Measurement(
        estimate=max(one.estimate for one in each), interval=interval, rows=holdout.rows, groups=units, method=method
    )


def _drawn(
    split: Split, places: list[NDArray[np.intp]], levels: list[Levels], resampling: Resampling, *, stream: str
) -> list[NDArray[np.float64]]:
    """Of each column the counts of its levels in each resample."""
    sizes = [len(one.names) for one in levels]
    if split.groups is None:
        rng = np.random.default_rng(np.random.SeedSequence([resampling.seed, len(stream)]))
        shares = [np.bincount(mine, minlength=size) / split.rows for mine, size in zip(places, sizes, strict=True)]
        return [rng.multinomial(split.rows, share, resampling.draws).astype(np.float64) for share in shares]
    bootstrap = bootstrap_of(split, resampling, stream=stream)
    table = np.column_stack(
        [
            np.bincount(bootstrap.index * size + mine, minlength=bootstrap.groups * size).reshape(-1, size)
            for mine, size in zip(places, sizes, strict=True)
        ]
    ).astype(np.float64)
    counts = np.concatenate([weights @ table for weights in bootstrap.chunks()])  # whole numbers: exact in any order
    return np.split(counts, np.cumsum(sizes)[:-1], axis=1)


CHECK = Drift()
