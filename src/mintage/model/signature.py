"""The signature: what a model takes and gives, typed, and what its outputs mean. See docs/spec/signature.md.

It is written once, when the model is built, from models/<model>.yaml and the categories that the estimator was fitted
with; every runtime validates by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.errors import PackageInvalidError
from mintage.lower.columns import MISSING_TEXT
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
    """One output; ``shape`` has -1 for the rows."""

    name: str
    datatype: Literal["FP64", "INT64"]
    shape: tuple[int, ...]


class Signature(_Part, frozen=True, kw_only=True):
    """The typed face of one model.

    ``label`` is 1, the second of ``classes``, where its probability is at least ``threshold``. ``missing_text`` stands
    for a missing text in the graph's string tensors. ``group_key``, ``time`` and ``id`` name columns that are no
    inputs but that certification and monitoring need.
    """

    kind: Literal["signature"] = "signature"
    version: Literal[0] = 0
    model: str
    task: Literal["binary"]
    target: str
    inputs: Annotated[tuple[Input, ...], Meta(min_length=1, max_length=MAX_INPUTS)]
    outputs: tuple[Output, ...]
    classes: tuple[str | int | float | bool, str | int | float | bool]
    threshold: Annotated[float, Meta(gt=0, lt=1)]
    missing_text: str = MISSING_TEXT
    group_key: str | None = None
    time: str | None = None
    id: str | None = None


OUTPUTS = (
    Output(name="probabilities", datatype="FP64", shape=(-1, 2)),
    Output(name="label", datatype="INT64", shape=(-1,)),
)


def build_signature(
    spec: ModelSpec,
    *,
    classes: tuple[str | int | float | bool, ...],
    categories: Mapping[str, tuple[str | float, ...]],
    closed: frozenset[str],
    limits: Mapping[str, tuple[float, float]],
) -> Signature:
    """The signature of a model file; ``categories``, ``closed`` and ``limits`` are what the fitted estimator takes."""
    inputs = [
        _input(name, column, categories.get(name), closed=name in closed, limits=limits.get(name))
        for name, column in spec.inputs.items()
    ]
    return Signature(
        model=spec.model,
        task=spec.task,
        target=spec.target,
        inputs=tuple(inputs),
        outputs=OUTPUTS,
        classes=(classes[0], classes[1]),
        threshold=spec.threshold,
        group_key=spec.group_key,
        time=spec.time,
        id=spec.id,
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
            "signature.json does not fit", expected="a signature, version 0", found=str(error)
        ) from error
    names = [item.name for item in signature.inputs]
    if len(set(names)) != len(names) or signature.outputs != OUTPUTS or signature.missing_text != MISSING_TEXT:
        raise PackageInvalidError("signature.json contradicts itself or this version of the format")
    return signature
