"""D2, combinations of values: whether training has met those of the domain, and those of the hold-out.

Inputs are taken as levels (``certify.levels``); a cell is one level of each of two or three inputs. ``coverage`` is the
share of the domain's cells that training has ``times`` times: one occurrence does not teach a statistical learner
much. It is a count of all there is, without interval. Cells that cannot occur in the world (a man who is pregnant) are
not counted if the model file says so under ``impossible``; else they count as not covered.

``difference`` is the share of the hold-out's cells that training does not have. Another hold-out of as many rows would
have another: its interval leaves out one group at a time, and holds for what such hold-outs show on average. What
training lacks bounds it: where that has every cell of the domain, no hold-out can lack many.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.impossible_cells import ImpossibleCells
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.levels import Levels, levels_of
from mintage.certify.measure import Measurement, conclude, exact, without_number
from mintage.stats.cells import CellCounts, cells_of, count_cells
from mintage.stats.jackknife import ratio_interval

__all__ = ["CHECK", "Coverage", "CoverageRequirement"]

_MOST = 20_000_000
_COVERED, _ABSENT = 0.85, 0.02
_FEWEST, _SHOWN = 5, 5
_Share = Annotated[float, Meta(ge=0, le=1)]


class CoverageRequirement(Requirement, frozen=True, kw_only=True):
    """``coverage`` must be at least ``min``, ``difference`` at most ``max``; of ``columns``, by default all inputs."""

    measure: Literal["coverage", "difference"] = "coverage"
    ways: Annotated[int, Meta(ge=2, le=3)] = 2
    times: Annotated[int, Meta(ge=1, le=1000)] = 1
    min: _Share | msgspec.UnsetType = msgspec.UNSET
    max: _Share | msgspec.UnsetType = msgspec.UNSET
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.measure == "coverage" and self.max is not msgspec.UNSET:
            raise ValueError("coverage takes `min`, and not `max`")
        if self.measure == "difference" and (self.min is not msgspec.UNSET or self.times != 1):
            raise ValueError("difference takes `max`, and neither `min` nor `times`")

    @property
    def samples(self) -> bool:
        """Whether the number comes from a sample."""
        return self.measure == "difference"

    @property
    def gate(self) -> Gate:
        """The gate that the threshold makes."""
        if self.measure == "coverage":
            return Gate(direction="at_least", threshold=self.min if isinstance(self.min, float) else _COVERED)
        return Gate(direction="at_most", threshold=self.max if isinstance(self.max, float) else _ABSENT)


class Coverage:
    """The check."""

    id = "D2"
    version = 0
    title = "combinations of values that training has met"
    samples = False
    measured = False
    requirement_type = CoverageRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: CoverageRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share of cells."""
        names, ways = requirement.columns or tuple(evidence.train.columns), requirement.ways
        unknown = [name for name in names if name not in evidence.train.columns]
        if unknown:
            reason = f"{', '.join(unknown)} is no input of the model"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        if len(names) < ways:
            reason = f"{len(names)} input has no combinations of {ways}"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        levels = levels_of(evidence, names)
        sizes, domains = [len(one.names) for one in levels], [one.domain for one in levels]
        if cells_of(sizes, ways) > _MOST:
            reason = f"{cells_of(sizes, ways):,} cells are too many to count: name the columns that matter"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        out = ImpossibleCells(evidence.conditions, levels, ways=ways)
        found = count_cells(
            [one.train for one in levels],
            [one.holdout for one in levels],
            sizes=sizes,
            domains=domains,
            ways=ways,
            times=requirement.times,
            impossible=out,
            groups=_groups(evidence.holdout) if requirement.samples else None,
        )
        if requirement.samples:
            return self._differs(evidence, requirement, found, levels, confidence=resampling.confidence)
        return self._covers(evidence, requirement, found, levels, out)

    def _covers(
        self,
        evidence: Evidence,
        requirement: CoverageRequirement,
        found: CellCounts,
        levels: list[Levels],
        out: ImpossibleCells,
    ) -> CheckResult:
        ways, often = requirement.ways, "" if requirement.times == 1 else f" {requirement.times} times"
        if found.cells == 0:
            reason = "no cell of the domain is possible: look at `impossible:` of the model file"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        details, also = _told(found, levels)
        taken_out = cells_of([one.domain for one in levels], ways) - found.cells
        if taken_out:
            details["impossible cells, not counted"] = taken_out
            also = f", {taken_out:,} impossible ones not counted{also}"
        details |= dict.fromkeys(out.unjudged[:_SHOWN], "not judged: a cell does not have all of its columns")
        return conclude(
            self,
            requirement,
            title=f"share of {ways}-way cells of the domain that training has{often}",
            measurement=exact(found.covered / found.cells, rows=evidence.train.rows),
            gate=requirement.gate,
            details=details,
            also=f" ({found.covered:,} of {found.cells:,}){also}",
        )

    def _differs(
        self,
        evidence: Evidence,
        requirement: CoverageRequirement,
        found: CellCounts,
        levels: list[Levels],
        *,
        confidence: float,
    ) -> CheckResult:
        details, also = _told(found, levels)
        return conclude(
            self,
            requirement,
            title=f"share of the hold-out's {requirement.ways}-way cells that training lacks",
            measurement=_measure_absent(found, evidence.holdout, confidence=confidence),
            gate=requirement.gate,
            needed_unit=evidence.holdout.unit,
            details=details,
            also=f" ({found.absent:,} of {found.met:,}){also}",
        )


def _groups(split: Split) -> NDArray[np.intp]:
    if split.groups is None:
        return np.arange(split.rows, dtype=np.intp)
    return np.asarray(np.unique(split.groups, return_inverse=True)[1], dtype=np.intp)


def _measure_absent(found: CellCounts, split: Split, *, confidence: float) -> Measurement:
    """The share of absent cells; what training has bounds it from above."""
    assert found.met_alone is not None and found.absent_alone is not None
    share, groups = found.absent / found.met, len(found.met_alone)
    if groups < _FEWEST:
        why = f"{groups} {'group gives' if groups == 1 else 'groups give'} no interval"
        return Measurement(estimate=share, interval=None, rows=split.rows, groups=groups, undecided=why, needed=_FEWEST)
    ends = ratio_interval(found.absent, found.met, found.absent_alone, found.met_alone, confidence=confidence)
    most = min(1.0, (found.outside + found.cells - found.covered) / found.met)
    interval = msgspec.structs.replace(ends, high=max(share, min(ends.high, most)))
    # where no group has an absent cell of its own, more groups bring no narrower interval
    needed = None if found.absent_alone.any() else 0
    method = f"jackknife by {'row' if split.groups is None else 'group'}, at least as wide as Clopper-Pearson"
    return Measurement(estimate=share, interval=interval, rows=split.rows, groups=groups, needed=needed, method=method)


def _told(found: CellCounts, levels: list[Levels]) -> tuple[dict[str, float | int | str | bool | None], str]:
    """The details, and in words the commonest cell that training lacks."""
    cell, told, words = found.largest, None, ""
    if cell is not None:
        named = zip(cell.columns, cell.levels, strict=True)
        told = " and ".join(f"{levels[column].name} {levels[column].names[level]}" for column, level in named)
        words = f"; not in training: {told}, {cell.rows:,} rows of the hold-out"
    return {
        "cells of the domain": found.cells,
        "of them in training": found.covered,
        "cells of the hold-out": found.met,
        "of them not in training": found.absent,
        "largest not in training": told,
    }, words


CHECK = Coverage()
