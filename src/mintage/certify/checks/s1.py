"""S1, weak slices: rows of one or two conditions where the model is wrong more often than on rows like them.

All slices of at most two conditions are scanned on one half of the hold-out; the fifty that stand out most are tested
on the other. A search that finds nothing counts only if it finds most of the slices that were planted in the
same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import Example, Plain, plain_text
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact
from mintage.certify.slices import Rows, code_columns, scan_size
from mintage.certify.weak import Search, Weak, halves, hits_of, planted, strata_of

__all__ = ["CHECK", "WeakSlices", "WeakSlicesRequirement"]

_SHOWN, _CONTROLS = 5, 5


class WeakSlicesRequirement(Requirement, frozen=True, kw_only=True):
    """No slice of at least ``min_share`` of the rows may surely be wrong more than ``max_ratio`` times as often as the
    rows that it is compared with: those with like answers, or all. ``control_share`` is the size of the planted one."""

    max_ratio: Annotated[float, Meta(ge=1)] = 1.25
    min_share: Annotated[float, Meta(gt=0, le=0.5)] = 0.01
    compare: Literal["alike", "all"] = "alike"
    q: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    control_share: Annotated[float, Meta(gt=0, le=0.5)] = 0.05
    control_ratio: Annotated[float, Meta(gt=1)] = 3.0


class WeakSlices:
    """The check."""

    id = "S1"
    version = 0
    title = "weak slices"
    samples = False
    measured = False
    requirement_type = WeakSlicesRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: WeakSlicesRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Search, and search again with a planted slice."""
        split = evidence.holdout
        rng = np.random.default_rng([resampling.seed, 2])
        columns = code_columns(split.columns, evidence.train.columns)
        strata = strata_of(split.answers) if requirement.compare == "alike" else np.zeros(split.rows, dtype=np.int64)
        rows = Rows(hits=hits_of(split.labels, split.answers), strata=strata)
        confirming, groups = halves(split, rng)
        search = Search(
            columns=columns,
            confirming=confirming,
            groups=groups,
            min_rows=max(2, round(requirement.min_share * split.rows)),
            ratio=requirement.max_ratio,
            q=requirement.q,
            resampling=resampling,
        )
        weak = search.weak(rows)
        controls = _controls(search, rows, requirement, rng)
        texts = [_text(item, search, compare=requirement.compare) for item in weak]
        result = conclude(
            self,
            requirement,
            title="confirmed weak slices",
            measurement=exact(float(len(weak)), rows=split.rows),
            gate=Gate(direction="at_most", threshold=0.0),
            details={
                "slices looked at": scan_size(columns),
                "planted slices": controls.planted,
                "planted slices found": controls.found,
                "rows of a planted slice": controls.rows,
            }
            | {f"slice {place}": text for place, text in enumerate(texts[:_SHOWN], 1)},
            examples=[_example(item, search) for item in weak[:_SHOWN]],
        )
        reason = _reason(texts, scan_size(columns), controls, requirement.control_ratio)
        verdict = "INCONCLUSIVE" if not controls.suffice and not weak else result.verdict
        return msgspec.structs.replace(result, verdict=verdict, reason=reason)


@dataclass(frozen=True)
class _Controls:
    """How many slices were planted, of about ``rows`` rows, and how many of them the search found."""

    planted: int
    found: int
    rows: int

    @property
    def suffice(self) -> bool:
        """Whether most were found: one may lie where few rows are like its own."""
        return 2 * self.found > self.planted


def _controls(search: Search, rows: Rows, requirement: WeakSlicesRequirement, rng: np.random.Generator) -> _Controls:
    sizes, found = [], 0
    for _ in range(_CONTROLS):
        plant = planted(search.columns, rows, share=requirement.control_share, times=requirement.control_ratio, rng=rng)
        if plant is not None:
            inside = plant[0].holds(search.columns)
            sizes.append(int(inside.sum()))
            found += any(_same(item, inside, search) for item in search.weak(plant[1]))
    return _Controls(len(sizes), found, round(float(np.mean(sizes))) if sizes else 0)


def _same(item: Weak, inside: NDArray[np.bool_], search: Search) -> bool:
    held = item.found.slice.holds(search.columns)
    return bool((held & inside).sum() > 0.5 * min(held.sum(), inside.sum()))


def _text(item: Weak, search: Search, *, compare: str) -> str:
    found, others = item.found, "rows with answers like theirs" if compare == "alike" else "all rows"
    return (
        f"{found.slice.text(search.columns)}: {found.hits} of {found.rows} wrong, {item.ratio:.2f} times as many as "
        f"of {others} (at least {item.low:.2f}), p {found.p:.2g}"
    )


def _example(item: Weak, search: Search) -> Example:
    """The slice as a row of numbers; the name of it stands before them."""
    found = item.found
    row: dict[str, Plain] = {
        "ratio": round(item.ratio, 3),
        "ratio at least": round(item.low, 3),
        "rows": found.rows,
        "wrong": found.hits,
    }
    return Example(of="slice", row=row, about=plain_text(found.slice.text(search.columns)))


def _reason(texts: list[str], looked_at: int, controls: _Controls, ratio: float) -> str:
    if texts:
        return f"{len(texts)} weak slice{'s' * (len(texts) > 1)} confirmed; {texts[0]}"
    of_planted = (
        f"{controls.found} of {controls.planted} planted ones of about {controls.rows:,} rows, "
        f"wrong {ratio:g} times as often, were found"
    )
    if controls.suffice:
        return f"no weak slice among {looked_at:,}; {of_planted}"
    if not controls.planted:
        of_planted = "none could be planted as a control"
    return f"weak slices: none found among {looked_at:,}, but {of_planted}: more rows would tell"


CHECK = WeakSlices()
