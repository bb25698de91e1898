"""The evidence that checks look at: rows, labels and scores of training and hold-out, and what was measured beside.

Scores are those of the model as it will be served, for the positive class. Evidence is checked when it is made: an
empty hold-out, labels other than 0 and 1, scores that are NaN or no probabilities, or columns of unequal length are
errors that name the split, not verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.latency import LatencyProbe
from mintage.certify.order import OrderFacts
from mintage.errors import EvidenceInvalidError

__all__ = ["Champion", "Evidence", "NativeScores", "Split"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """The rows of one split: input columns, labels (0 or 1), scores, and the group of each row.

    Number columns are float64 with NaN for missing, string columns object arrays of str or None. ``groups`` None says
    that rows are independent. ``digest`` names the data.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    scores: NDArray[np.float64]
    groups: NDArray[Any] | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        rows = len(self.labels)
        if rows == 0:
            raise _invalid(f"the {self.name} has no rows", "at least one row", "0")
        lengths = {name: len(column) for name, column in self.columns.items()} | {"scores": len(self.scores)}
        if self.groups is not None:
            lengths["groups"] = len(self.groups)
        for name, length in lengths.items():
            if length != rows:
                raise _invalid(f"{name} of the {self.name} has another length than its labels", str(rows), str(length))
        if not np.isin(self.labels, (0, 1)).all():
            values = np.unique(np.asarray(self.labels).astype(str))[:5].tolist()
            raise _invalid(f"labels of the {self.name} are not 0 and 1", "0, 1", ", ".join(values))
        check_scores(self.scores, what=f"scores of the {self.name}")
        if self.groups is not None and _has_missing(self.groups):
            raise _invalid(f"a row of the {self.name} has no group", "a value of the group key in each row", "missing")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.labels)

    @property
    def group_count(self) -> int:
        """How many groups there are; rows, if they are independent."""
        return self.rows if self.groups is None else len(np.unique(self.groups))


@dataclass(frozen=True, kw_only=True)
class NativeScores:
    """What the library that fitted the model says itself, for parity with the served graph.

    ``holdout`` is in the order of the hold-out's rows; ``edge`` and ``edge_served`` are the two sides on generated edge
    rows. The label is positive from ``threshold`` on.
    """

    holdout: NDArray[np.float64]
    edge: NDArray[np.float64]
    edge_served: NDArray[np.float64]
    threshold: float


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The model that serves now: its root and its scores on the same hold-out rows."""

    root: str
    scores: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of one model. ``root`` is its id, ``domain`` the digest of its declared domain."""

    model: str
    root: str
    domain: str
    train: Split
    holdout: Split
    group_key: str | None = None
    native: NativeScores | None = None
    latency: LatencyProbe | None = None
    champion: Champion | None = None
    order: OrderFacts = field(default_factory=OrderFacts)

    def __post_init__(self) -> None:
        rows = self.holdout.rows
        if set(self.train.columns) != set(self.holdout.columns):
            raise _invalid(
                "training and hold-out have other columns",
                ", ".join(sorted(self.train.columns)),
                ", ".join(sorted(self.holdout.columns)),
            )
        if self.champion is not None:
            check_scores(self.champion.scores, what="the champion's scores", rows=rows)
        if self.native is not None:
            check_scores(self.native.holdout, what="native scores of the hold-out", rows=rows)
            check_scores(self.native.edge, what="native scores of edge rows", rows=len(self.native.edge_served))
            check_scores(self.native.edge_served, what="served scores of edge rows")


def check_scores(scores: NDArray[np.float64], *, what: str, rows: int | None = None) -> None:
    """Raise EvidenceInvalidError unless ``scores`` are ``rows`` finite probabilities."""
    if rows is not None and len(scores) != rows:
        raise _invalid(f"{what}: another number of rows", str(rows), str(len(scores)))
    bad = np.flatnonzero(~((scores >= 0) & (scores <= 1)))
    if len(bad):
        raise _invalid(
            f"{what}: {len(bad)} of {len(scores)} are no probabilities",
            "numbers from 0 to 1",
            f"{scores[bad[0]]} in row {bad[0]}",
        )


def _has_missing(groups: NDArray[Any]) -> bool:
    if groups.dtype.kind == "O":
        return any(value is None or (isinstance(value, float) and math.isnan(value)) for value in groups)
    return groups.dtype.kind == "f" and bool(np.isnan(groups).any())


def _invalid(message: str, expected: str, found: str) -> EvidenceInvalidError:
    return EvidenceInvalidError(
        message,
        expected=expected,
        found=found,
        hint="look at the stage that writes this data, and at models/<model>.yaml",
    )
