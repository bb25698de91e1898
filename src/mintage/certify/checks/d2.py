"""D2, combinations of values: whether training has met those of the domain, and those of the hold-out.

Inputs are taken as levels (``certify.levels``); a cell is one level of each of two or three inputs. ``coverage`` is the
share of the domain's cells that training has ``times`` times: one occurrence does not teach a statistical learner
much. ``difference`` is the share of the hold-out's cells that training does not have. Cells that cannot occur in the
world (a man who is pregnant) count as not covered. All rows are counted, so there is no interval.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.levels import Levels, levels_of
from mintage.certify.measure import conclude, exact, without_number
from mintage.stats.cells import CellCounts, cells_of, count_cells

__all__ = ["CHECK", "Coverage", "CoverageRequirement"]

_MOST = 20_000_000
_COVERED, _ABSENT = 0.85, 0.02
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
        found = count_cells(
            [one.train for one in levels],
            [one.holdout for one in levels],
            sizes=sizes,
            domains=domains,
            ways=ways,
            times=requirement.times,
        )
        return self._concluded(evidence, requirement, found, levels)

    def _concluded(
        self, evidence: Evidence, requirement: CoverageRequirement, found: CellCounts, levels: list[Levels]
    ) -> CheckResult:
        ways, often = requirement.ways, "" if requirement.times == 1 else f" {requirement.times} times"
        if requirement.measure == "coverage":
            value, rows = found.covered / found.cells, evidence.train.rows
            title = f"share of {ways}-way cells of the domain that training has{often}"
            also = f" ({found.covered:,} of {found.cells:,})"
        else:
            value, rows = found.absent / found.met, evidence.holdout.rows
            title = f"share of the hold-out's {ways}-way cells that training lacks"
            also = f" ({found.absent:,} of {found.met:,})"
        cell, told = found.largest, None
        if cell is not None:
            named = zip(cell.columns, cell.levels, strict=True)
            told = " and ".join(f"{levels[column].name} {levels[column].names[level]}" for column, level in named)
            also += f"; not in training: {told}, {cell.rows:,} rows of the hold-out"
        return conclude(
            self,
            requirement,
            title=title,
            measurement=exact(value, rows=rows),
            gate=requirement.gate,
            details={
                "cells of the domain": found.cells,
                "of them in training": found.covered,
                "cells of the hold-out": found.met,
                "of them not in training": found.absent,
                "largest not in training": told,
            },
            also=also,
        )


CHECK = Coverage()
