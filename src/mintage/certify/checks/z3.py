"""Z3, export parity: the served graph says what the library that fitted the model says.

Every hold-out row and every edge row is compared: no label flips, no probability further apart than ``tolerance``;
of a regression no number, as a share of it where it is larger than one.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.example import MOST_EXAMPLES, Example, answer_texts, example_of
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import conclude, exact, without_number
from mintage.stats.binomial import clopper_pearson

__all__ = ["CHECK", "ExportParity", "ExportParityRequirement"]


class ExportParityRequirement(Requirement, frozen=True, kw_only=True):
    """The largest difference that is accepted; flips never are."""

    tolerance: Annotated[float, Meta(ge=0)] = 1e-12


class ExportParity:
    """The check."""

    id = "Z3"
    version = 0
    title = "export parity"
    samples = False
    measured = False
    requirement_type = ExportParityRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: ExportParityRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Judge the largest difference, and the flips."""
        native = evidence.native
        if native is None:
            reason = "export parity was not measured: the library's own scores are missing"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        answers = evidence.holdout.answers
        own = answers.of(np.concatenate([native.holdout, native.edge]))
        served = answers.of(np.concatenate([answers.values, native.edge_served]))
        apart = _apart(own, served)
        flipped = np.zeros(len(own), dtype=bool) if evidence.task == "regression" else _flipped(own, served)
        flips = None if evidence.task == "regression" else int(flipped.sum())
        details: dict[str, float | int | str | bool | None] = {
            "hold-out rows": len(native.holdout),
            "edge rows": len(native.edge),
            "worst row": int(apart.argmax()),
        }
        if flips is not None:
            details["flips"] = flips
            details["flip rate at most"] = clopper_pearson(flips, len(own), resampling.confidence).high
        result = conclude(
            self,
            requirement,
            title="largest difference between library and served graph",
            measurement=exact(float(apart.max()), rows=len(own)),
            gate=Gate(direction="at_most", threshold=requirement.tolerance),
            details=details,
            also=f"; {len(own):,} rows" if flips is None else f"; {flips} label flips in {len(own):,} rows",
            examples=_examples(evidence, own, served, np.where(flipped | (apart > requirement.tolerance), apart, -1)),
        )
        return msgspec.structs.replace(result, verdict="FAIL") if flips else result


def _examples(evidence: Evidence, own: Answers, served: Answers, off: NDArray[np.float64]) -> list[Example]:
    """The rows of the hold-out that are furthest off, of those that are."""
    rows = off[: evidence.holdout.rows]
    worst = np.argsort(-rows, kind="stable")[: min(MOST_EXAMPLES, int((rows >= 0).sum()))].tolist()
    return [
        example_of(
            evidence.holdout.columns,
            place,
            of="hold-out",
            answered=texts[0],
            expected=texts[1],
            about=f"row {place}",
        )
        for place in worst
        for texts in [answer_texts(served.values[place], own.values[place], classes=evidence.classes)]
    ]


def _apart(own: Answers, served: Answers) -> NDArray[np.float64]:
    """The largest difference in each row; of numbers beyond one as a share of them."""
    apart = np.abs(own.values - served.values)
    if own.task == "regression":
        return np.asarray(apart / np.maximum(1.0, np.abs(own.values)), dtype=np.float64)
    return apart if apart.ndim == 1 else np.asarray(apart.max(axis=1), dtype=np.float64)


def _flipped(own: Answers, served: Answers) -> NDArray[np.bool_]:
    """Where the labels differ; between classes that are equally probable either is right."""
    flipped = own.labels != served.labels
    if own.task == "multiclass":
        for values in (own.values, served.values):
            two = np.sort(values, axis=1)[:, -2:]
            flipped &= two[:, 0] != two[:, 1]
    return np.asarray(flipped, dtype=np.bool_)


CHECK = ExportParity()
