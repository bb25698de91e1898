"""D1, whether the hold-out lies in the domain that the model file declares.

A row is outside if any of its values is: beyond a range, no declared category, null where none may be, a fraction where
whole numbers are declared; or if a condition of ``impossible:`` is true of it. What the file does not declare is not
judged: texts that training never had are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.domain import is_declared, outside
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, Example, Plain, example_of, plain_value
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, without_number
from mintage.certify.served import Columns
from mintage.certify.share import measure_share

__all__ = ["CHECK", "DomainConformance", "DomainConformanceRequirement"]


class DomainConformanceRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of the hold-out may lie outside the declared domain."""

    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.01


class DomainConformance:
    """The check."""

    id = "D1"
    version = 0
    title = "conformance with the declared domain"
    samples = True
    measured = False
    requirement_type = DomainConformanceRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: DomainConformanceRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share."""
        split, inputs = evidence.holdout, evidence.inputs
        conditions = evidence.conditions
        if not is_declared(inputs) and not conditions:
            reason = (
                "the model file declares no range, no categories, no integer, no input that may not be null and no "
                "impossible rows"
            )
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        found = outside(inputs, split.columns, conditions)
        rows = np.zeros(split.rows, dtype=bool)
        for flags in found.values():
            rows |= flags
        often = sorted(found, key=lambda key: -int(found[key].sum()))
        told = ", ".join(f"{name} {what} {int(found[name, what].sum()):,} times" for name, what in often[:3])
        return conclude(
            self,
            requirement,
            title="share of hold-out rows outside the declared domain",
            measurement=measure_share(rows, split, resampling, most=requirement.max_share),
            gate=Gate(direction="at_most", threshold=requirement.max_share),
            needed_unit=split.unit if rows.any() else "rows",
            details={
                "rows outside": int(rows.sum()),
                **{f"{name}: {what}": int(flags.sum()) for (name, what), flags in found.items()},
                "texts not in training": _unseen(evidence),
            },
            also=f": {told}" if told else "",
            examples=_examples(split.columns, {key: found[key] for key in often}),
        )


def _examples(columns: Columns, found: Mapping[tuple[str, str], NDArray[np.bool_]]) -> list[Example]:
    """A value of each kind that is wrong, then a second one of each; the whole row where it is impossible."""
    rounds: list[list[Example]] = [[] for _ in range(MOST_EXAMPLES)]
    for (name, what), rows in found.items():
        values: dict[Plain, int] = {}
        for place in np.flatnonzero(rows).tolist():
            values.setdefault(plain_value(columns[name][place]) if name in columns else place, place)
            if len(values) == MOST_EXAMPLES:
                break
        shown = {name: columns[name]} if name in columns else columns
        for turn, place in enumerate(values.values()):
            about = f"row {place}: {name} {what}"
            rounds[turn].append(example_of(shown, place, of="hold-out", about=about))
    return [example for turn in rounds for example in turn][:MOST_EXAMPLES]


def _unseen(evidence: Evidence) -> int:
    """How many rows have a text that its column does not have in training."""
    rows = np.zeros(evidence.holdout.rows, dtype=bool)
    for name, column in evidence.holdout.columns.items():
        if column.dtype.kind == "O":
            known = {*evidence.train.columns[name].tolist(), None}
            rows |= np.array([value not in known for value in column.tolist()])
    return int(rows.sum())


CHECK = DomainConformance()
