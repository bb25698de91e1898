"""The signature: what a model takes and gives, typed, and what its outputs mean. See docs/spec/signature.md.

It is written once, when the model is built, from models/<model>.yaml and the categories that the estimator was fitted
with; every runtime validates by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.errors import EstimatorRefusedError, PackageInvalidError
from mintage.lower.columns import MISSING_TEXT
from mintage.lower.description import Class
from mintage.lower.outputs import output_names
from mintage.record.canonical import canonical_bytes
from mintage.repo.modelfile import InputSpec, ModelSpec

__all__ = ["Input", "Output", "Signature", "build_signature", "decode_signature", "encode_signature"]

MAX_INPUTS = 10_000


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the parts of a signature: frozen, strict."""


class Input(_Part, frozen=True, kw_only=True):
    """One input column: FP64 (NaN is missing) or BYTES (UTF-8 text).

    ``integer`` numbers have no fraction. ``range`` is inclusive, None at an end is open. ``categories`` are known
    values. A value out of range or not known is flagged; with ``closed`` it is refused, because the estimator itself
    refuses it. So are numbers outside ``limits``, both inclusive.
    """

    name: str
    datatype: Literal["FP64", "BYTES"]
    nullable: bool = True
    integer: bool = False
    range: tuple[float | None, float | None] | None = None
    categories: tuple[str | float, ...] | None = None
    closed: bool = False
    limits: tuple[float, float] | None = None
    unit: str | None = None
    about: str | None = None


class Output(_Part, frozen=True, kw_only=True):
    """One output; ``shape`` has -1 for the rows. Of a label, ``classes`` are the values that its places stand for."""

    name: str
    datatype: Literal["FP64", "INT64"]
    shape: tuple[int, ...]
    classes: tuple[Class, ...] | None = None


class Signature(_Part, frozen=True, kw_only=True):
    """The typed face of one model.

    With two classes ``label`` is 1, the second, where its probability is at least ``threshold``; with more it is the
    first of those with the largest probability. ``target`` is one column or several. ``missing_text`` stands
    for a missing text in the graph's string tensors. ``group_key``, ``time`` and ``id`` name columns that are no
    inputs but that certification and monitoring need.
    """

    kind: Literal["signature"] = "signature"
    version: Literal[1] = 1
    model: str
    task: Literal["binary", "multiclass", "regression"]
    target: str | tuple[str, ...]
    inputs: Annotated[tuple[Input, ...], Meta(min_length=1, max_length=MAX_INPUTS)]
    outputs: Annotated[tuple[Output, ...], Meta(min_length=1)]
    threshold: Annotated[float, Meta(gt=0, lt=1)]
    missing_text: str = MISSING_TEXT
    group_key: str | None = None
    time: str | None = None
    id: str | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """How many classes each target of a classifier has; empty for a regression."""
        return tuple(len(output.classes) for output in self.outputs if output.classes is not None)

    @property
    def classes(self) -> tuple[Class, ...]:
        """The classes of a classifier of one target, in the order of their places; of a regression none."""
        return next((output.classes for output in self.outputs if output.classes is not None), ())

    @property
    def two_classes(self) -> tuple[Class, ...]:
        """The two classes of a scored model in their order, the second of which its score is the probability of."""
        return next((output.classes for output in self.outputs if output.classes is not None), (0, 1))

    @property
    def is_scored(self) -> bool:
        """Whether there is one target with two classes, so that one probability says all."""
        return self.task == "binary" and self.widths == (2,)


def build_signature(
    spec: ModelSpec,
    *,
    classes: tuple[tuple[Class, ...], ...],
    width: int,
    categories: Mapping[str, tuple[str | float, ...]],
    closed: frozenset[str],
    limits: Mapping[str, tuple[float, float]],
) -> Signature:
    """The signature of a model file.

    ``classes`` of each target and the ``width`` of all outputs are what the fitted estimator gives; ``categories``,
    ``closed`` and ``limits`` what it takes. Raises EstimatorRefusedError if it does not do the declared task.
    """
    _check_task(spec, classes, width)
    inputs = [
        _input(name, column, categories.get(name), closed=name in closed, limits=limits.get(name))
        for name, column in spec.inputs.items()
    ]
    return Signature(
        model=spec.model,
        task=spec.task,
        target=spec.target,
        inputs=tuple(inputs),
        outputs=_outputs(spec.targets, classes, width),
        threshold=spec.threshold,
        group_key=spec.group_key,
        time=spec.time,
        id=spec.id,
    )


def _outputs(targets: tuple[str, ...], classes: tuple[tuple[Class, ...], ...], width: int) -> tuple[Output, ...]:
    if not classes:
        return (Output(name="value", datatype="FP64", shape=(-1, width)),)
    found: list[Output] = []
    for (probabilities, label), mine in zip(output_names(len(classes), targets), classes, strict=True):
        found.append(Output(name=probabilities, datatype="FP64", shape=(-1, len(mine))))
        found.append(Output(name=label, datatype="INT64", shape=(-1,), classes=mine))
    return tuple(found)


def _check_task(spec: ModelSpec, classes: tuple[tuple[Class, ...], ...], width: int) -> None:
    """The estimator's face must be what the model file declares."""
    sizes = {len(mine) for mine in classes}
    found = "regression" if not classes else "binary" if sizes == {2} else "multiclass"
    count = len(classes) or width
    if found == spec.task and count == len(spec.targets):
        return
    raise EstimatorRefusedError(
        "the estimator does another task than the model file declares",
        expected=f"{spec.task}, {len(spec.targets)} target{'s' * (len(spec.targets) > 1)}",
        found=f"{found}, {count} target{'s' * (count > 1)}"
        + (f" with {', '.join(str(len(mine)) for mine in classes)} classes" if classes else ""),
        where=f"models/{spec.model}.yaml",
        hint="correct `task:` and `target:` of the model file, or the stage that fits the estimator",
    )


def _input(
    name: str,
    column: InputSpec,
    fitted: tuple[str | float, ...] | None,
    *,
    closed: bool,
    limits: tuple[float, float] | None,
) -> Input:
    text = column.type == "string"
    known: tuple[str | float, ...] | None = fitted if closed else (column.categories or fitted)
    if not closed and not text:
        known = None  # places of a numeric encoder say nothing about its domain that a range does not
    return Input(
        name=name,
        datatype="BYTES" if text else "FP64",
        nullable=column.nullable,
        integer=column.type == "int",
        range=column.range,
        categories=None if known is None else tuple(str(value) if text else float(value) for value in known),
        closed=closed,
        limits=limits,
        unit=column.unit,
        about=column.about,
    )


def encode_signature(signature: Signature) -> bytes:
    """The signature's canonical bytes."""
    return canonical_bytes(msgspec.to_builtins(signature))


def decode_signature(data: bytes) -> Signature:
    """Parse a signature strictly; raises PackageInvalidError."""
    try:
        signature = msgspec.json.decode(data, type=Signature)
    except msgspec.MsgspecError as error:
        raise PackageInvalidError(
            "signature.json does not fit",
            expected="a signature, version 1",
            found=str(error),
            hint="a model of version 0 is from before the format was settled: build it again with `mintage run`",
        ) from error
    names = [item.name for item in signature.inputs]
    if len(set(names)) != len(names) or not _outputs_fit(signature) or signature.missing_text != MISSING_TEXT:
        raise PackageInvalidError("signature.json contradicts itself or this version of the format")
    return signature


def _outputs_fit(signature: Signature) -> bool:
    """Whether the outputs are those that the task and the targets say."""
    targets = (signature.target,) if isinstance(signature.target, str) else signature.target
    classes = tuple(output.classes for output in signature.outputs if output.classes is not None)
    sizes = [len(set(mine)) for mine in classes]
    if signature.task == "regression":
        return not classes and signature.outputs == _outputs(targets, (), len(targets))
    two = signature.task == "binary"
    fits = bool(sizes) and len(sizes) == len(targets) and (max(sizes) == 2 if two else max(sizes) > 2)
    return fits and min(sizes) > 1 and signature.outputs == _outputs(targets, classes, 0)
