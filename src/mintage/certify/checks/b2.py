"""B2, monotone: where the model file declares a direction, the answer never moves the other way.

Pairs are rows of the hold-out before and after one input grew to the value of another row, all else being equal; a pair
with an impossible row is none. Of two classes the answer is the probability of the second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.answers import Task
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, Example, example_of, said
from mintage.certify.impossible import impossible_rows
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, conclude, without_number
from mintage.certify.probing import draw_rows, not_served, take
from mintage.certify.served import Columns, Served
from mintage.errors import PolicyUnfitError
from mintage.repo.condition import Condition
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "Monotone", "MonotoneRequirement"]

_AGAIN = 20


class MonotoneRequirement(Requirement, frozen=True, kw_only=True):
    """At most ``max_share`` of ``pairs`` pairs may move the wrong way by more than ``tolerance``."""

    pairs: Annotated[int, Meta(ge=1, le=1_000_000)] = 2_000
    max_share: Annotated[float, Meta(ge=0, le=1)] = 0.005
    tolerance: Annotated[float, Meta(ge=0)] = 1e-9

    def check_task(self, task: Task) -> None:
        """See Requirement."""
        if task == "multiclass":
            raise PolicyUnfitError(
                f"the requirement {self.id} asks for a direction, and the answer of more than two classes has none",
                expected="a model of two classes, or a regression",
                found=task,
                hint="leave B2 out",
            )


class Monotone:
    """The check."""

    id = "B2"
    version = 1
    title = "monotone"
    samples = True
    measured = False
    requirement_type = MonotoneRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: MonotoneRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the share of pairs that move the wrong way."""
        signs = {
            name: 1.0 if declared.monotone == "increasing" else -1.0
            for name, declared in sorted(evidence.inputs.items())
            if declared.monotone is not None
        }
        if not signs:
            reason = "not applicable: the model file declares no input `monotone`"
            return without_number(self, requirement, verdict="NOT_APPLICABLE", reason=reason)
        served, each = evidence.served, -(-requirement.pairs // len(signs))
        rows = None if served is None else draw_rows(evidence.holdout, served, each, seed=resampling.seed, stream=15)
        if served is None or rows is None:
            return not_served(self, requirement)
        rng = np.random.default_rng([resampling.seed, 16])
        found = {name: _pairs(served, rows, name, rng, evidence.conditions) for name in signs}
        moved = {name: sign * found[name].moves for name, sign in signs.items()}
        wrong = {name: int((by < -requirement.tolerance).sum()) for name, by in moved.items()}
        pairs, hits = sum(map(len, moved.values())), sum(wrong.values())
        if pairs == 0:
            reason = "monotone: not measured, the declared inputs do not differ between the rows of the hold-out"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        most = f"; most by {max(wrong, key=lambda name: wrong[name])}" if hits else ""
        return conclude(
            self,
            requirement,
            title="pairs whose answer moves the wrong way",
            measurement=Measurement(
                estimate=hits / pairs,
                interval=clopper_pearson(hits, pairs, resampling.confidence),
                rows=pairs,
                method=f"Clopper-Pearson, {hits:,} of {pairs:,}",
            ),
            gate=Gate(direction="at_most", threshold=requirement.max_share),
            needed_unit="pairs",
            details={f"wrong, {name}": count for name, count in wrong.items()},
            also=f" ({hits:,} of {pairs:,} pairs{most})",
            examples=_worst(found, moved, wrong),
        )


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Rows with the lower and the higher value of one input, and the answers to both."""

    rows: Columns
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @property
    def moves(self) -> NDArray[np.float64]:
        """How far each answer moves as the input grows."""
        return self.after - self.before


def _worst(
    found: Mapping[str, _Pairs], moved: Mapping[str, NDArray[np.float64]], wrong: Mapping[str, int]
) -> list[Example]:
    """The pairs that move furthest the wrong way, the first of each input before the second of any."""
    furthest = [
        (rank, float(by[place]), name, place)
        for name, by in moved.items()
        for rank, place in enumerate(np.argsort(by, kind="stable")[: min(MOST_EXAMPLES, wrong[name])].tolist())
    ]
    examples = []
    for _, _, name, place in sorted(furthest)[:MOST_EXAMPLES]:
        pairs = found[name]
        examples.append(
            example_of(
                {**pairs.rows, name: pairs.low},
                place,
                of="hold-out",
                changed={name: pairs.high},
                answered=said(pairs.before[place], pairs.after[place]),
                expected="not less" if pairs.moves[place] < 0 else "not more",
                about=f"{name} grows",
            )
        )
    return examples


def _pairs(
    served: Served, rows: Columns, name: str, rng: np.random.Generator, conditions: Sequence[Condition]
) -> _Pairs:
    """Rows before and after ``name`` grew to another row's value; pairs of possible rows alone."""
    column = rows[name].astype(np.float64)
    other = rng.permutation(column)
    for _ in range(_AGAIN):  # where one value is that of most rows, most pairs do not differ at first
        same = np.flatnonzero(column == other)
        other[same] = rng.choice(column, len(same))
    places = np.flatnonzero(column != other)
    places = places[~np.isnan(column[places]) & ~np.isnan(other[places])]
    if conditions:
        possible = ~impossible_rows(conditions, rows) & ~impossible_rows(conditions, {**rows, name: other})
        places = places[possible[places]]
    low, high = np.minimum(column, other)[places], np.maximum(column, other)[places]
    kept, none = take(rows, places), np.empty(0)
    if len(places) == 0:
        return _Pairs(rows=kept, low=none, high=none, before=none, after=none)
    both = {key: np.concatenate([values, values]) for key, values in kept.items()}
    answers = served.ask({**both, name: np.concatenate([low, high])}).values
    return _Pairs(rows=kept, low=low, high=high, before=answers[: len(places)], after=answers[len(places) :])


CHECK = Monotone()
