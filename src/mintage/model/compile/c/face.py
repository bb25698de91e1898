"""The names that a caller of the C code sees, made from the signature's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mintage.errors import GraphRefusedError
from mintage.model.compile.c.names import identifier, identifiers
from mintage.model.program import Program
from mintage.model.signature import Signature

__all__ = ["Face", "face"]


@dataclass(frozen=True)
class Face:
    """What a caller sees: the prefix of all names, and the members of both structs by the signature's names.

    ``outputs`` has the columns of each output; 0 is a single number.
    """

    prefix: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, tuple[str, int]]


def face(program: Program, signature: Signature, name: str) -> Face:
    """The names that the code for a model has."""
    inputs = [item.name for item in signature.inputs]
    outputs = [item.name for item in signature.outputs]
    made = {tensor.name for tensor in program.outputs}
    if set(outputs) - made or {tensor.name for tensor in program.inputs} - set(inputs):
        raise GraphRefusedError(
            "the graph does not fit its signature",
            expected=", ".join([*inputs, *outputs]),
            found=", ".join(sorted({tensor.name for tensor in program.inputs} | made)),
        )
    columns = [0 if len(item.shape) == 1 else item.shape[-1] for item in signature.outputs]
    return Face(
        prefix=identifier(name),
        inputs=dict(zip(inputs, identifiers(inputs), strict=True)),
        outputs=dict(zip(outputs, zip(identifiers(outputs), columns, strict=True), strict=True)),
    )
