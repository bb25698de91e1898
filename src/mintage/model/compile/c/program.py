"""Compile a model's graph to C99: ``model.h`` and ``model.c``, which need a compiler and libm, and nothing else.

The code allocates no memory, has no state, and may be called by any number of threads. The same model gives the same
bytes. What it promises, the flags that it must be compiled with, and its errors: docs/spec/export-c.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mintage.errors import GraphRefusedError
from mintage.model.compile.c.check import check_function, message_functions
from mintage.model.compile.c.columns import COLUMNS
from mintage.model.compile.c.elementwise import ELEMENTWISE, write_elementwise
from mintage.model.compile.c.face import Face, face
from mintage.model.compile.c.header import header
from mintage.model.compile.c.helpers import HELPERS
from mintage.model.compile.c.literal import encode, text
from mintage.model.compile.c.lookup import write_lookup
from mintage.model.compile.c.trees import write_trees
from mintage.model.compile.c.unit import C_TYPES, Unit, refused
from mintage.model.program import Node, Program, Tensor, read_program
from mintage.model.signature import Signature

__all__ = ["OPERATORS", "compile_c"]

_WRITERS: Mapping[str, Callable[[Unit, Node], None]] = {
    **dict.fromkeys(ELEMENTWISE, write_elementwise),
    **COLUMNS,
    "LabelEncoder": write_lookup,
    "TreeEnsemble": write_trees,
}
OPERATORS = frozenset((*_WRITERS, "Shape"))
"""What has a translation; the number of rows is asked for by Expand alone, which needs none for one row."""
_PLAIN = """#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "compile without -ffast-math and -ffinite-math-only: a missing number is NAN"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "compile for arithmetic in float and double (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
"""


def compile_c(onnx: bytes, signature: Signature, name: str) -> Mapping[str, bytes]:
    """``model.h`` and ``model.c`` of a checked graph; all their names begin with ``name``, made an identifier.

    Raises GraphRefusedError for an operator, or a form of one, that has no translation.
    """
    program = read_program(onnx)
    names = face(program, signature, name)
    unit = Unit(failure=f"{names.prefix.upper()}_ERROR_MODEL")
    _predict(unit, program, signature, names)
    check = check_function(unit, names.prefix, signature, names.inputs)
    parts = [
        f"/* The model {names.prefix}: see model.h. Made from its graph; a change here is lost. */\n"
        "#include <float.h>\n#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
        '#include <string.h>\n\n#include "model.h"\n',
        _PLAIN,
        *(part for helper, part in HELPERS.items() if helper in unit.helpers),
        *unit.tables,
        "\n".join(
            (
                f"int {names.prefix}_predict(const struct {names.prefix}_input *in, struct {names.prefix}_output *out)",
                "{",
                f"    if (in == NULL || out == NULL)\n        return {names.prefix.upper()}_ERROR_ARGUMENT;",
                *unit.lines,
                f"    return {names.prefix.upper()}_OK;\n}}\n",
            )
        ),
        check,
        message_functions(names.prefix, signature),
    ]
    return {"model.h": header(signature, names).encode(), "model.c": "\n".join(parts).encode()}


def _predict(unit: Unit, program: Program, signature: Signature, names: Face) -> None:
    """The body: the inputs, the nodes that an output depends on, the outputs."""
    needed = _needed(program, {item.name for item in signature.outputs})
    missing = text(encode(signature.missing_text))
    for tensor in program.inputs:
        member = f"in->{names.inputs[tensor.name]}"
        if tensor.name in needed:
            unit.bind(tensor, member)
            if tensor.type == "string":
                unit.assign(tensor, lambda at, member=member: f"{member} != NULL ? {member} : {missing}")  # type: ignore[misc]
    shapes = {node.output.name for node in program.nodes if node.operator == "Shape"}
    for node in program.nodes:
        if node.output.name in needed and node.operator != "Shape":
            if any(tensor.name in shapes for tensor in node.inputs[: 1 if node.operator == "Expand" else None]):
                raise refused(node, "the number of rows as a value")
            _WRITERS[node.operator](unit, node)
    tensors = {tensor.name: tensor for tensor in program.outputs}
    for item in signature.outputs:
        member, count = names.outputs[item.name]
        _output(unit, tensors[item.name], f"out->{member}", count, whole=item.datatype == "INT64")


def _output(unit: Unit, tensor: Tensor, member: str, count: int, *, whole: bool) -> None:
    cast = "(int)" if whole else "(double)" if tensor.type != "double" else ""
    if C_TYPES[tensor.type].endswith("*"):
        raise GraphRefusedError("an output of texts has no translation to C", where=tensor.name)
    if count <= 1:
        unit.line(f"{member}{'[0]' if count else ''} = {cast}{unit.element(tensor, '0')};")
    else:
        unit.line(f"for (int32_t j = 0; j < {count}; j++)", f"    {member}[j] = {cast}{unit.element(tensor, 'j')};")


def _needed(program: Program, outputs: set[str]) -> set[str]:
    """The tensors that an output depends on; a compiler warns of a value that nothing uses."""
    needed = set(outputs)
    for node in reversed(program.nodes):
        if node.output.name in needed:
            needed.update(tensor.name for tensor in node.inputs[: 1 if node.operator == "Expand" else None])
    return needed
