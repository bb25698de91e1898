"""``model.h``: both structs, the codes and the functions, with what the signature says of each column."""

from __future__ import annotations

from mintage.lower.description import Class
from mintage.model.compile.c.check import CODES
from mintage.model.compile.c.face import Face
from mintage.model.compile.c.names import comment
from mintage.model.signature import Input, Output, Signature

__all__ = ["header"]


def header(signature: Signature, names: Face) -> str:
    """The text of the header."""
    prefix = names.prefix
    targets = (signature.target,) if isinstance(signature.target, str) else signature.target
    predicted = ", ".join(map(comment, targets))
    guard = f"{prefix.upper()}_MODEL_H"
    inputs = "".join(_input(item, names.inputs[item.name]) for item in signature.inputs)
    outputs = "".join(_output(item, *names.outputs[item.name]) for item in signature.outputs)
    codes = "".join(f"    {prefix.upper()}_{name} = {code}, /* {text} */\n" for name, (code, text) in CODES.items())
    return f"""/* The model {comment(signature.model)}, which predicts {predicted}. C99; link with -lm.
   Compile without -ffast-math and with -ffp-contract=off, else the answers may differ. */
#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

/* One row. A missing number is NAN, a missing text NULL. Texts are UTF-8; a NUL inside one is written C0 80. */
struct {prefix}_input {{
{inputs}}};

/* The answer to one row. */
struct {prefix}_output {{
{outputs}}};

enum {{
{codes}}};

/* Answer one row; gives {prefix.upper()}_OK, or a code. It does not check the values: {prefix}_check does.
   Threads may call it at the same time. It keeps nothing, and allocates nothing but its stack. */
int {prefix}_predict(const struct {prefix}_input *in, struct {prefix}_output *out);

/* Whether the model takes a row: {prefix.upper()}_OK, or the code of the first input that it refuses, whose place in
   the struct is stored to *input (-1: none), unless that is NULL. */
int {prefix}_check(const struct {prefix}_input *in, int *input);

/* What a code means, in English. */
const char *{prefix}_message(int code);

/* The name of the column of an input by its place in the struct, NULL if there is none. */
const char *{prefix}_input_name(int input);

#ifdef __cplusplus
}}
#endif

#endif
"""


def _input(item: Input, member: str) -> str:
    said = [comment(item.name), "may be missing" if item.nullable else "never missing"]
    said += ["a whole number"] if item.integer else []
    said += [f"in {comment(item.unit)}"] if item.unit else []
    if item.range is not None:
        low, high = item.range
        said += [f"usually {low!r} or more"] if low is not None else []
        said += [f"usually {high!r} or less"] if high is not None else []
    said += [comment(item.about)] if item.about else []
    kind = "const char *" if item.datatype == "BYTES" else "double "
    return f"    {kind}{member}; /* {'; '.join(said)} */\n"


def _output(item: Output, member: str, columns: int) -> str:
    kind = "int" if item.datatype == "INT64" else "double"
    size = f"[{columns}]" if columns else ""
    said = [comment(item.name)]
    if item.classes is not None:
        said += [
            "the place of the class: " + ", ".join(f"{at} {comment(str(name))}" for at, name in _few(item.classes))
        ]
    return f"    {kind} {member}{size}; /* {'; '.join(said)} */\n"


def _few(classes: tuple[Class, ...]) -> list[tuple[int, Class]]:
    return list(enumerate(classes))[:20]
