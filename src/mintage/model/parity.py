"""Compare a lowered model with the original, row by row. Pure; used at build and again at certification.

A row passes when both give a finite score, the scores differ by at most the tolerance, and the labels are equal: that
of the declared threshold, and the library's own at one half (where a score of exactly one half is a tie that each
breaks its way). A row that the original refuses must be refused by validation too. Anything not finite counts as
different: NaN is never "within tolerance".

>>> same = np.array([0.25, 0.75])
>>> compare(
...     name="rows", native_scores=same, native_labels=np.array([0, 1]), native_failed=np.zeros(2, bool),
...     scores=same, labels=np.array([0, 1]), accepted=np.ones(2, bool), threshold=0.5,
... ).passed
True
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

__all__ = ["TOLERANCE", "Parity", "compare"]

TOLERANCE = 1e-12


class Parity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one comparison found. ``worst`` is the row that differs most, if any differs at all.

    ``refused`` rows were refused by the original and by validation; ``refused_by_original`` by the original alone,
    which is a failure. ``equal`` counts scores that are the same to the bit.
    """

    name: str
    rows: int
    compared: int
    refused: int
    refused_by_original: int
    not_finite: int
    label_flips: int
    max_error: float
    equal: int
    tolerance: float
    worst: int | None

    @property
    def passed(self) -> bool:
        """Whether every row passes, and there was one to compare."""
        return (
            self.compared > 0
            and self.refused_by_original == 0
            and self.not_finite == 0
            and self.label_flips == 0
            and self.max_error <= self.tolerance
        )


def compare(
    *,
    name: str,
    native_scores: np.ndarray[Any, Any],
    native_labels: np.ndarray[Any, Any],
    native_failed: np.ndarray[Any, Any],
    scores: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    accepted: np.ndarray[Any, Any],
    threshold: float,
    tolerance: float = TOLERANCE,
) -> Parity:
    """Compare the original's answers with the lowered model's; all arrays have one value a row.

    ``scores`` and ``labels`` are the graph's, run without validation; ``accepted`` says which rows validation takes.
    """
    both = ~native_failed
    finite = np.isfinite(native_scores) & np.isfinite(scores)
    error = np.where(finite, np.abs(np.where(finite, native_scores, 0.0) - np.where(finite, scores, 0.0)), np.inf)
    error = np.where(both, error, np.where(accepted, np.inf, 0.0))
    flipped = (
        both
        & finite
        & (((native_scores >= threshold) != (labels == 1)) | _own_label(native_scores, native_labels, scores))
    )
    badness = np.where(flipped, error + 1.0, error)
    worst = int(np.argmax(badness)) if len(badness) and badness.max() > 0 else None
    return Parity(
        name=name,
        rows=len(scores),
        compared=int(np.count_nonzero(both)),
        refused=int(np.count_nonzero(~both & ~accepted)),
        refused_by_original=int(np.count_nonzero(~both & accepted)),
        not_finite=int(np.count_nonzero(both & ~finite)),
        label_flips=int(np.count_nonzero(flipped)),
        max_error=float(error[both & finite].max(initial=0.0)),
        equal=int(np.count_nonzero(both & (native_scores == scores))),
        tolerance=tolerance,
        worst=worst,
    )


def _own_label(native_scores: Any, native_labels: Any, scores: Any) -> Any:
    """Where the library's own label is not that of the score at one half, but for exact ties."""
    tie = (native_scores == 0.5) | (scores == 0.5)
    return ((scores > 0.5) != (native_labels == 1)) & ~tie
