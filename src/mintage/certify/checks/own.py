"""own, a check of the project: a file ``checks/<name>.py`` with one function says what is measured; we judge it.

``per_row`` gives a value for each hold-out row, whose mean is judged (rows of NaN do not count); ``number`` gives one
number, and is called again on resamples of the hold-out; ``counter_examples`` gives what should not be there. Interval
and verdict are made here, whatever the file says. See docs/spec/own-check.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.certify.check import CheckResult, Resampling
from mintage.certify.evidence import Evidence, Split
from mintage.certify.inside.tables import pack
from mintage.certify.judge import Gate
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import Measurement, bootstrap_of, conclude, exact, measured_samples
from mintage.certify.own_code import OwnFound
from mintage.certify.own_requirement import FileRequirement, OwnPath, find_file, left_open
from mintage.certify.share import measure_share
from mintage.errors import MintageError, OwnCheckError

__all__ = ["CHECK", "OwnCheck", "OwnRequirement"]


class OwnRequirement(FileRequirement, frozen=True, kw_only=True):
    """The ``file``, its ``options``, and ``min`` or ``max`` of what it measures."""

    file: OwnPath
    min: float | msgspec.UnsetType = msgspec.UNSET
    max: float | msgspec.UnsetType = msgspec.UNSET
    options: dict[str, float | int | str | bool | None] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.min is msgspec.UNSET) == (self.max is msgspec.UNSET):
            raise ValueError("an own check takes `min` or `max`, one of the two")

    @property
    def path(self) -> str:
        """See FileRequirement."""
        return self.file

    @property
    def gate(self) -> Gate:
        """The gate that the threshold makes."""
        if isinstance(self.min, float):
            return Gate(direction="at_least", threshold=self.min)
        assert isinstance(self.max, float)
        return Gate(direction="at_most", threshold=self.max)


class _Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the process wrote."""

    kind: Literal["per_row", "number", "counter_examples"]
    title: Annotated[str, Meta(min_length=1, max_length=120)]
    estimate: float | None = None
    count: Annotated[int, Meta(ge=0)] = 0
    examples: Annotated[tuple[Annotated[str, Meta(max_length=400)], ...], Meta(max_length=5)] = ()


class OwnCheck:
    """The check."""

    id = "own"
    version = 0
    title = "own check"
    samples = True
    measured = False
    requirement_type = OwnRequirement

    def run(
        self, evidence: Evidence, requirement: OwnRequirement, *, resampling: Resampling, latency: LatencyRun | None
    ) -> CheckResult:
        """Run the file, and judge what it found."""
        try:
            own, file = find_file(evidence, requirement)
            splits = {"holdout": evidence.holdout, "train": evidence.train, "validation": evidence.validation}
            known = {name: split for name, split in splits.items() if split is not None}
            answered = own.run(
                file,
                _job(evidence, requirement, resampling, sorted(known)),
                files={key: part for name, split in known.items() for key, part in _files(name, split).items()},
                served=evidence.served,
                columns=evidence.holdout.columns,
            )
            found = _read(answered)
            measurement = _measure(found, answered, evidence.holdout, resampling)
        except MintageError as error:
            return left_open(self, requirement, error)
        return conclude(
            self,
            requirement,
            title=found.title,
            measurement=measurement,
            gate=requirement.gate,
            needed_unit=evidence.holdout.unit,
            details=file.told | {f"counter-example {place}": text for place, text in enumerate(found.examples, 1)},
            also=f"; the first is {found.examples[0]}" if found.examples else "",
        )


def _job(
    evidence: Evidence, requirement: OwnRequirement, resampling: Resampling, splits: list[str]
) -> dict[str, object]:
    return {
        "do": "own",
        "task": evidence.task,
        "classes": list(evidence.classes) if evidence.task != "regression" else [],
        "threshold": evidence.holdout.answers.threshold,
        "options": requirement.options,
        "seed": resampling.seed,
        "draws": resampling.draws,
        "splits": splits,
    }


def _files(name: str, split: Split) -> dict[str, dict[str, NDArray[np.generic]]]:
    """A split as npz files: inputs, numbers of each row, and what else the table has of it."""
    others: dict[str, NDArray[np.generic]] = {"labels": np.asarray(split.labels), "answers": split.answers.values}
    if split.task != "regression":
        others["predicted"] = split.answers.labels
    extra: dict[str, NDArray[np.generic]] = {
        role: np.asarray(column) for role, column in split.extra.items() if role != "group"
    }
    if split.groups is not None:
        extra["group"] = np.asarray(split.groups)
    texts = {
        role: np.array([None if value is None else str(value) for value in column.tolist()], dtype=object)
        for role, column in extra.items()
    }
    return {f"{name}.inputs": pack(split.columns), f"{name}.others": others, f"{name}.extra": pack(texts)}


def _read(answered: OwnFound) -> _Found:
    try:
        return msgspec.json.decode(answered.text, type=_Found)
    except msgspec.MsgspecError as error:
        raise OwnCheckError("what the file found cannot be read", found=str(error)) from None


def _measure(found: _Found, answered: OwnFound, holdout: Split, resampling: Resampling) -> Measurement:
    """The measurement; raises OwnCheckError for what is none."""
    if found.kind == "counter_examples":
        return exact(float(found.count), rows=holdout.rows)
    values = answered.arrays.get("values")
    length = holdout.rows if found.kind == "per_row" else resampling.draws
    if values is None or values.shape != (length,) or values.dtype != np.float64 or np.isinf(values).any():
        raise OwnCheckError("what the file found are no finite numbers, one for each row or resample")
    if found.kind == "number":
        estimate = np.nan if found.estimate is None else found.estimate
        return _sampled(estimate, values, holdout, resampling)
    counted = ~np.isnan(values)
    if not counted.any():
        return Measurement(estimate=None, interval=None, rows=0, undecided="the file gives no row a number")
    part = replace(
        holdout,
        columns={},
        extra={},
        labels=holdout.labels[counted],
        answers=holdout.answers[counted],
        groups=None if holdout.groups is None else holdout.groups[counted],
    )
    values = values[counted]
    if np.isin(values, (0.0, 1.0)).all():
        return measure_share(values == 1.0, part, resampling)
    samples = bootstrap_of(part, resampling, stream="holdout").means(values)
    return _sampled(float(values.mean()), samples, part, resampling)


def _sampled(estimate: float, samples: NDArray[np.float64], part: Split, resampling: Resampling) -> Measurement:
    return measured_samples(
        estimate,
        samples,
        rows=part.rows,
        groups=[part.group_count],
        resampling=resampling,
        undefined="the file gives no number for it",
        method=f"{resampling.draws:,} resamples of {part.unit}",
    )


CHECK = OwnCheck()
