"""B1, invariance: what must not matter does not.

Rows in another order, columns in another order, whole numbers as integers: the answers are the same. ``irrelevant``
names inputs, such as ids, whose values are exchanged between rows, but where that makes an impossible one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, Example, example_of, said
from mintage.certify.impossible import impossible_rows
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import without_number
from mintage.certify.probing import apart, conclude_share, differ, draw_rows, not_served, take
from mintage.certify.served import Columns, Served
from mintage.repo.condition import Condition

__all__ = ["CHECK", "Invariance", "InvarianceRequirement"]


class InvarianceRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of ``rows`` rows may change by more than ``tolerance``, or their label."""

    irrelevant: tuple[str, ...] = ()
    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.01
    rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 2_000
    tolerance: Annotated[float, Meta(ge=0)] = 1e-6


class Invariance:
    """The check."""

    id = "B1"
    version = 0
    title = "invariance"
    samples = True
    measured = False
    requirement_type = InvarianceRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: InvarianceRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Count the rows that any change moves."""
        served, split = evidence.served, evidence.holdout
        unknown = [name for name in requirement.irrelevant if name not in split.columns]
        if unknown:
            reason = f"{self.title}: not measured, `irrelevant` names {', '.join(unknown)}, which are no inputs"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        columns = (
            None
            if served is None
            else draw_rows(evidence.holdout, served, requirement.rows, seed=resampling.seed, stream=13)
        )
        if served is None or columns is None:
            return not_served(self, requirement)
        before = served.ask_anew(columns)
        changed = np.zeros(len(before), dtype=bool)
        moved: dict[str, float | int | str | bool | None] = {}
        worst: list[tuple[tuple[int, float], Example]] = []
        rng = np.random.default_rng([resampling.seed, 14])
        order = rng.permutation(len(before))
        exchanged = [_exchanged(columns, name, order, evidence.conditions) for name in requirement.irrelevant]
        for name, after, into in _changes(
            columns, before, served, order, zip(requirement.irrelevant, exchanged, strict=True)
        ):
            by = differ(before, after, tolerance=requirement.tolerance)
            moved[f"moved by {name}"] = int(by.sum())
            changed |= by
            worst += _worst(columns, into, before, after, by, name=name, classes=evidence.classes)
        most = max(moved, key=lambda name: moved[name] or 0)
        worst.sort(key=lambda found: found[0])
        return conclude_share(
            self,
            requirement,
            title="rows whose answer changes with what must not matter",
            hits=int(changed.sum()),
            rows=len(changed),
            of=split.rows,
            most=requirement.max_share,
            resampling=resampling,
            details=moved,
            also=f"; most {most}" if changed.any() else f"; tried {', '.join(name[9:] for name in moved)}",
            examples=[example for _, example in worst[:MOST_EXAMPLES]],
        )


def _changes(
    columns: Columns,
    before: Answers,
    served: Served,
    order: NDArray[np.int64],
    exchanged: Iterable[tuple[str, Columns]],
) -> Iterator[tuple[str, Answers, Columns]]:
    """Each change, the answers after it in the order of the rows before, and the columns that have other values."""
    back = np.argsort(order)
    yield "row order", before.of(served.ask_anew(take(columns, order)).values[back]), {}
    yield "column order", served.ask_anew(dict(sorted(columns.items(), reverse=True))), {}
    whole = {name: _whole(column) for name, column in columns.items()}
    if any(whole[name].dtype != columns[name].dtype for name in columns):
        yield "integers", served.ask_anew(whole), {}
    for name, other in exchanged:
        yield name, served.ask_anew(other), {name: other[name]}


def _worst(
    columns: Columns,
    into: Columns,
    before: Answers,
    after: Answers,
    by: NDArray[np.bool_],
    *,
    name: str,
    classes: Sequence[str],
) -> list[tuple[tuple[int, float], Example]]:
    """The rows that a change moves furthest, each with its place among all that are shown: the first of each change
    come first."""
    off = np.where(by, apart(before, after), -1.0)
    return [
        (
            (rank, -float(off[place])),
            example_of(
                columns,
                place,
                of="hold-out",
                changed=into,
                answered=said(before.values[place], after.values[place], classes=classes),
                expected="the same",
                about=f"moved by {name}",
            ),
        )
        for rank, place in enumerate(np.argsort(-off, kind="stable")[: min(MOST_EXAMPLES, int(by.sum()))].tolist())
    ]


def _exchanged(columns: Columns, name: str, order: NDArray[np.int64], conditions: Sequence[Condition]) -> Columns:
    """The rows with another's value of one column, but where that row cannot occur."""
    other = {**columns, name: columns[name][order]}
    impossible = impossible_rows(conditions, other)
    return {**columns, name: np.where(impossible, columns[name], other[name])}


def _whole(column: NDArray[np.generic]) -> NDArray[np.generic]:
    """A column of whole numbers as integers."""
    if column.dtype.kind != "f" or not np.isfinite(column).all() or np.abs(column).max(initial=0.0) >= 2**53:
        return column
    integers = column.astype(np.int64)
    return integers if (integers == column).all() else column


CHECK = Invariance()
