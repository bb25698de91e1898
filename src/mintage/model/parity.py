"""Compare a lowered model with the original, row by row. Pure; used at build, at certification and for each runtime.

A row passes when both give finite values, each value differs by at most the tolerance (relative for values beyond one),
and every label is equal: for two classes that of the declared threshold, and the library's own at one half; for more
the class with the largest probability. An exact tie may go either way. A row that the original refuses must be refused
by validation too. Anything not finite counts as different: NaN is never "within tolerance".

>>> same = Answer(values=np.array([[0.75, 0.25], [0.25, 0.75]]), labels=np.array([[0], [1]]))
>>> compare(
...     name="rows", native=same, failed=np.zeros(2, bool), found=same, accepted=np.ones(2, bool), widths=(2,),
...     threshold=0.5,
... ).passed
True
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

__all__ = ["ROUNDED", "TOLERANCE", "Answer", "Parity", "compare"]

Array = np.ndarray[Any, Any]
TOLERANCE = 1e-12
ROUNDED = 1e-5
"""For an original that computes its answers in float32: docs/spec/model-folder.md."""


@dataclass(frozen=True)
class Answer:
    """``values`` float64 [N, W]: probabilities, target by target, or numbers; ``labels`` int64 [N, targets]."""

    values: Array
    labels: Array


class Parity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one comparison found. ``worst`` is the row that differs most, if any differs at all.

    ``refused`` rows were refused by the original and by validation; ``refused_by_original`` by the original alone,
    which is a failure. To ``tied`` rows the original itself could give another answer. ``equal`` counts rows whose
    values are all the same to the bit.
    """

    name: str
    rows: int
    compared: int
    refused: int
    refused_by_original: int
    tied: int
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
    native: Answer,
    failed: Array,
    tied: Array | None = None,
    found: Answer,
    accepted: Array,
    widths: Sequence[int],
    threshold: float,
    tolerance: float = TOLERANCE,
) -> Parity:
    """Compare the original's answers with the lowered model's.

    ``found`` are the graph's, run without validation; ``failed`` bool [N] says which rows the original refused,
    ``tied`` to which it could give another answer as well, so that they are not compared, and ``accepted`` which
    validation takes. An answer of the original that is not finite counts as a refusal of a row that validation refuses
    too. ``widths`` are the numbers of classes of each target of a classifier.
    """
    tied = np.zeros(len(failed), dtype=bool) if tied is None else tied & ~failed
    both = ~failed & ~tied & (accepted | np.isfinite(native.values).all(axis=1))
    finite = np.isfinite(native.values).all(axis=1) & np.isfinite(found.values).all(axis=1)
    error = np.where(finite, _error(native.values, found.values), np.inf)
    error = np.where(both, error, np.where(accepted & ~tied, np.inf, 0.0))
    flipped = both & finite & _flipped(native, found, widths, threshold)
    badness = np.where(flipped, error + 1.0, error)
    worst = int(np.argmax(badness)) if len(badness) and badness.max() > 0 else None
    return Parity(
        name=name,
        rows=len(found.values),
        compared=int(np.count_nonzero(both)),
        refused=int(np.count_nonzero(~both & ~tied & ~accepted)),
        refused_by_original=int(np.count_nonzero(~both & ~tied & accepted)),
        tied=int(np.count_nonzero(tied)),
        not_finite=int(np.count_nonzero(both & ~finite)),
        label_flips=int(np.count_nonzero(flipped)),
        max_error=float(error[both & finite].max(initial=0.0)),
        equal=int(np.count_nonzero(both & (native.values == found.values).all(axis=1))),
        tolerance=tolerance,
        worst=worst,
    )


def _error(native: Array, found: Array) -> Array:
    """The largest difference in a row, of values beyond one as a share of them."""
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(native - found) / np.maximum(1.0, np.abs(native))
    worst: Array = difference.max(axis=1, initial=0.0)
    return worst


def _flipped(native: Answer, found: Answer, widths: Sequence[int], threshold: float) -> Array:
    """Where the label of any target differs."""
    flipped = np.zeros(len(found.values), dtype=bool)
    for target, mine, theirs in _targets(native.values, found.values, widths):
        label, own = found.labels[:, target], native.labels[:, target]
        if mine.shape[1] == 2:
            native_score, score = mine[:, 1], theirs[:, 1]
            tie = (native_score == 0.5) | (score == 0.5)
            flipped |= (native_score >= threshold) != (label == 1)
            flipped |= ((score > 0.5) != (own == 1)) & ~tie
        else:
            tie = _top_two(mine) | _top_two(theirs)
            flipped |= (label != own) & ~tie
    return flipped


def _targets(native: Array, found: Array, widths: Sequence[int]) -> Iterator[tuple[int, Array, Array]]:
    first = 0
    for target, width in enumerate(widths):
        yield target, native[:, first : first + width], found[:, first : first + width]
        first += width


def _top_two(values: Array) -> Array:
    """Whether the two largest of a row are equal."""
    ordered = np.sort(values, axis=1)
    tie: Array = ordered[:, -1] == ordered[:, -2]
    return tie
