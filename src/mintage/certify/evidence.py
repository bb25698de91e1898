"""The evidence that checks look at: rows, labels and answers of training and hold-out, and what was measured beside.

Answers are those of the model as it will be served. Labels are places of classes (0 and 1 for two), or a regression's
true numbers. Evidence is checked when it is made: an empty hold-out, a label that is no class, answers that are NaN or
no probabilities, or columns of unequal length are errors that name the split, not verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mintage.certify.answers import Answers, Task, check_values
from mintage.certify.attested import Attested
from mintage.certify.finding import AnsweredFinding
from mintage.certify.footprint import FootprintProbe
from mintage.certify.latency import LatencyProbe
from mintage.certify.order import OrderFacts
from mintage.certify.own_code import OwnCode
from mintage.certify.pickles.files import ScannedFiles
from mintage.certify.retraining import Retraining
from mintage.certify.served import Served
from mintage.errors import EvidenceInvalidError
from mintage.repo.condition import Condition
from mintage.repo.modelfile import InputSpec, ModelSpec

__all__ = ["Champion", "Evidence", "Native", "Role", "Split"]

Role = Literal["time", "id", "group"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """The rows of one split: input columns, labels, answers, and the group of each row.

    Number columns are float64 with NaN for missing, string columns object arrays of str or None. ``groups`` None says
    that rows are independent. ``extra`` has the columns that the model file names beside the inputs, as far as the
    table has them: objects, None for missing. ``digest`` names the data.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    answers: Answers
    groups: NDArray[Any] | None = None
    extra: Mapping[Role, NDArray[Any]] = field(default_factory=dict)
    digest: str | None = None

    def __post_init__(self) -> None:
        rows = len(self.labels)
        if rows == 0:
            raise _invalid(f"the {self.name} has no rows", "at least one row", "0")
        lengths = {name: len(column) for name, column in (*self.columns.items(), *self.extra.items())}
        lengths["answers"] = len(self.answers)
        if self.groups is not None:
            lengths["groups"] = len(self.groups)
        for name, length in lengths.items():
            if length != rows:
                raise _invalid(f"{name} of the {self.name} has another length than its labels", str(rows), str(length))
        _check_labels(self)
        if self.groups is not None and _has_missing(self.groups):
            raise _invalid(f"a row of the {self.name} has no group", "a value of the group key in each row", "missing")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.labels)

    @property
    def task(self) -> Task:
        """What the model does."""
        return self.answers.task

    @property
    def scores(self) -> NDArray[np.float64]:
        """Of a binary model: the probability of the second class."""
        return self.answers.values

    @property
    def unit(self) -> str:
        """What is counted where more of it is asked for: groups, or rows if they are independent."""
        return "rows" if self.groups is None else "groups"

    @property
    def group_count(self) -> int:
        """How many groups there are; rows, if they are independent."""
        return self.rows if self.groups is None else len(np.unique(self.groups))


@dataclass(frozen=True, kw_only=True)
class Native:
    """What the library that fitted the model says itself, for parity with the served graph.

    ``holdout`` is in the order of the hold-out's rows; ``edge`` and ``edge_served`` are the two sides on generated edge
    rows. All are values of the model's task.
    """

    holdout: NDArray[np.float64]
    edge: NDArray[np.float64]
    edge_served: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The model that serves now: its root and its answers to the same hold-out rows."""

    root: str
    answers: Answers


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known of one model. ``root`` is its id, ``domain`` the digest of its declared domain, ``classes`` the
    names of a classifier's classes in the order of their places. ``served`` answers to other rows; ``spec`` is the
    model file, for what it declares; ``formats`` has each file of the model's folder, with None if its format is not
    known; ``validation`` are rows that neither fitted the model nor judge it; ``findings`` what it says to the rows of
    people, ``attested`` what people signed, by requirement; ``own`` runs the project's own checks,
    ``retraining`` trains the model again,
    ``pickles`` what the run's files were found to name; ``provenance`` what is known of how the model came about, None
    where something is missing; ``footprint`` measures fresh processes."""

    model: str
    root: str
    domain: str
    train: Split
    holdout: Split
    classes: tuple[str, ...] = ("0", "1")
    group_key: str | None = None
    native: Native | None = None
    latency: LatencyProbe | None = None
    champion: Champion | None = None
    order: OrderFacts = field(default_factory=OrderFacts)
    spec: ModelSpec | None = None
    served: Served | None = None
    formats: Mapping[str, str | None] = field(default_factory=dict)
    validation: Split | None = None
    findings: tuple[AnsweredFinding, ...] = ()
    attested: Mapping[str, Attested] = field(default_factory=dict)
    own: OwnCode | None = None
    retraining: Retraining | None = None
    pickles: ScannedFiles | None = None
    provenance: Mapping[str, str | None] | None = None
    footprint: FootprintProbe | None = None

    def __post_init__(self) -> None:
        task, rows = self.task, self.holdout.rows
        if set(self.train.columns) != set(self.holdout.columns):
            raise _invalid(
                "training and hold-out have other columns",
                ", ".join(sorted(self.train.columns)),
                ", ".join(sorted(self.holdout.columns)),
            )
        if self.train.task != task:
            raise _invalid("training and hold-out are of other tasks", task, self.train.task)
        if self.validation is not None and self.validation.task != task:
            raise _invalid("validation and hold-out are of other tasks", task, self.validation.task)
        if self.champion is not None:
            if self.champion.answers.task != task:
                raise _invalid("the champion does another task", task, self.champion.answers.task)
            check_values(self.champion.answers.values, task, what="the champion's answers", rows=rows)
        if self.native is not None:
            check_values(self.native.holdout, task, what="native answers to the hold-out", rows=rows)
            check_values(self.native.edge, task, what="native answers to edge rows", rows=len(self.native.edge_served))
            check_values(self.native.edge_served, task, what="served answers to edge rows")

    @property
    def inputs(self) -> Mapping[str, InputSpec]:
        """What the model file declares of each input; nothing, if it is not known."""
        return {} if self.spec is None else self.spec.inputs

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the model file says of rows that cannot occur, over inputs that the splits have."""
        return () if self.spec is None else self.spec.conditions

    @property
    def task(self) -> Task:
        """What the model does."""
        return self.holdout.task


def _check_labels(split: Split) -> None:
    labels, values = np.asarray(split.labels), split.answers.values
    if split.task == "regression":
        if labels.dtype.kind not in "fiub" or not np.isfinite(labels).all():
            raise _invalid(f"labels of the {split.name} are not all numbers", "finite numbers", "others")
        return
    known = range(2 if split.task == "binary" else values.shape[1])
    if not np.isin(labels, list(known)).all():
        found = np.unique(labels.astype(str))[:5].tolist()
        raise _invalid(f"labels of the {split.name} are no classes", ", ".join(map(str, known)), ", ".join(found))


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
