"""D3, whether the hold-out has rows enough of each declared segment, so that a verdict says something of it too.

Segments are the levels of the named columns (``certify.levels``), without a name of the inputs declared ``protected``,
and each pair of levels that a row has together. Too few rows prove nothing bad and nothing good: INCONCLUSIVE, with
what is missing. ``min_rows`` is what a share needs for a half-width of 0.05. Rows are counted: no interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.levels import Levels, levels_of
from mintage.certify.measure import conclude, exact, without_number

__all__ = ["CHECK", "SegmentSupport", "SegmentSupportRequirement"]


class SegmentSupportRequirement(Requirement, frozen=True, kw_only=True):
    """Each segment of ``columns``, and with ``pairs`` each pair of them, has at least ``min_rows`` in the hold-out."""

    columns: tuple[str, ...] = ()
    min_rows: Annotated[int, Meta(ge=1)] = 385
    pairs: bool = True


class SegmentSupport:
    """The check."""

    id = "D3"
    version = 0
    title = "rows of each segment"
    samples = False
    measured = False
    requirement_type = SegmentSupportRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: SegmentSupportRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the segment with the fewest rows."""
        inputs = evidence.inputs
        names = requirement.columns or tuple(name for name, spec in inputs.items() if spec.protected)
        if not names:
            reason = "no segments are named, and the model file declares no input as protected"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        unknown = [name for name in names if name not in evidence.train.columns]
        if unknown:
            reason = f"{', '.join(unknown)} is no input of the model"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        levels = levels_of(evidence, names)
        found = dict(_single(levels)) | (dict(_paired(levels)) if requirement.pairs else {})
        fewest = sorted(found, key=lambda name: found[name])
        few = [name for name in fewest if found[name] < requirement.min_rows]
        told = ", ".join(f"{name} {found[name]:,}" for name in few[:3])
        result = conclude(
            self,
            requirement,
            title=f"rows of the smallest of {len(found):,} segments",
            measurement=exact(float(found[fewest[0]]), rows=evidence.holdout.rows),
            gate=Gate(direction="at_least", threshold=float(requirement.min_rows)),
            needed_unit="rows",
            details={"segments": len(found), "with too few rows": len(few), **{key: found[key] for key in fewest[:20]}},
            also=f"; {len(few):,} have fewer: {told}" if few else "",
        )
        if not few:
            return result
        return msgspec.structs.replace(
            result,
            verdict="INCONCLUSIVE",
            # what is not known is not shown to be bad; the gate would call it so
            interval=None,
            needed=_needed(found[fewest[0]], requirement.min_rows, evidence.holdout.rows),
            needed_unit="rows",
        )


def _single(levels: list[Levels]) -> Iterator[tuple[str, int]]:
    for one in levels:
        counts = np.bincount(one.holdout, minlength=len(one.names))
        for place, name in enumerate(one.names):
            yield f"{one.name} {name}", int(counts[place])


def _paired(levels: list[Levels]) -> Iterator[tuple[str, int]]:
    for one, other in combinations(levels, 2):
        size = len(other.names)
        ours, theirs = (
            np.bincount(first * size + second, minlength=len(one.names) * size)
            for first, second in ((one.train, other.train), (one.holdout, other.holdout))
        )
        for place in np.flatnonzero(ours + theirs):
            names = f"{one.name} {one.names[place // size]} and {other.name} {other.names[place % size]}"
            yield names, int(theirs[place])


def _needed(rows: int, least: int, all_rows: int) -> int | None:
    return -(-all_rows * least // rows) if rows else None


CHECK = SegmentSupport()
