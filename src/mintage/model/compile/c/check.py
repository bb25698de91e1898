"""The function that checks a row by the signature, as ``model.validate`` does in Python: docs/spec/export-c.md."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mintage.model.compile.c.literal import encode, number, text, text_table
from mintage.model.compile.c.unit import Unit
from mintage.model.signature import Input, Signature

__all__ = ["CODES", "check_function", "message_functions"]

CODES: Mapping[str, tuple[int, str]] = {
    "OK": (0, "no error"),
    "ERROR_ARGUMENT": (1, "a pointer is NULL"),
    "ERROR_MODEL": (2, "the model asks for a place that it does not have"),
    "ERROR_NULL": (3, "a value is missing where none may be"),
    "ERROR_INFINITE": (4, "a number is infinite"),
    "ERROR_LIMITS": (5, "a number is too large for the model"),
    "ERROR_INTEGER": (6, "a number has a fraction where integers are declared"),
    "ERROR_UNKNOWN": (7, "a value is one that the model refuses: not known, or out of its range"),
}
"""By the end of its name: the code, and what ``message`` says."""


def check_function(unit: Unit, prefix: str, signature: Signature, members: Mapping[str, str]) -> str:
    """The text of ``<prefix>_check``; may add tables and helpers to the unit."""
    upper = prefix.upper()
    lines = []
    for place, item in enumerate(signature.inputs):
        value = f"in->{members[item.name]}"
        if item.datatype == "BYTES":
            tests = _text_tests(unit, item, value, signature.missing_text)
        else:
            tests = _number_tests(unit, item, value)
        for code, test in tests:
            lines.append(f"    if ({test})\n        return refuse(input, {place}, {upper}_{code});\n")
    refuse = """static int refuse(int *input, int place, int code)
{
    if (input != NULL)
        *input = place;
    return code;
}

"""
    return f"""{refuse}int {prefix}_check(const struct {prefix}_input *in, int *input)
{{
    if (in == NULL)
        return refuse(input, -1, {upper}_ERROR_ARGUMENT);
{"".join(lines)}    return refuse(input, -1, {upper}_OK);
}}
"""


def _number_tests(unit: Unit, item: Input, x: str) -> list[tuple[str, str]]:
    tests = [] if item.nullable else [("ERROR_NULL", f"{x} != {x}")]
    tests.append(("ERROR_INFINITE", f"{x} == INFINITY || {x} == -INFINITY"))
    if item.limits is not None:
        tests.append(("ERROR_LIMITS", _outside(x, *item.limits)))
    if item.integer:
        tests.append(("ERROR_INTEGER", f"{x} == {x} && floor({x}) != {x}"))
    if item.closed:
        low, high = item.range or (None, None)
        if low is not None or high is not None:
            tests.append(("ERROR_UNKNOWN", _outside(x, low, high)))
        known = sorted({float(value) for value in item.categories or ()})
        if known:
            table = unit.table(np.array(known), "double")
            find = unit.helper("find_double")
            tests.append(("ERROR_UNKNOWN", f"{x} == {x} && {find}({table}, {len(known)}, {x}) < 0"))
    return tests


def _text_tests(unit: Unit, item: Input, x: str, missing_text: str) -> list[tuple[str, str]]:
    missing = text(encode(missing_text))
    tests = [] if item.nullable else [("ERROR_NULL", f"{x} == NULL || strcmp({x}, {missing}) == 0")]
    if item.closed and item.categories is not None:
        known = sorted({encode(str(value)) for value in (*item.categories, missing_text)})
        table = unit.texts(known)
        found = f"{unit.helper('find_text')}({table}_text, {table}_at, {len(known)}, {x}) < 0"
        tests.append(("ERROR_UNKNOWN", f"{x} != NULL && {found}" if item.nullable else found))
    return tests


def _outside(x: str, low: float | None, high: float | None) -> str:
    ends = [] if low is None else [f"{x} < {number(low, 'double')}"]
    ends += [] if high is None else [f"{x} > {number(high, 'double')}"]
    return " || ".join(ends)


def message_functions(prefix: str, signature: Signature) -> str:
    """The texts of ``<prefix>_message`` and ``<prefix>_input_name``."""
    cases = "".join(
        f"    case {prefix.upper()}_{name}:\n        return {text(message.encode())};\n"
        for name, (_, message) in CODES.items()
    )
    count = len(signature.inputs)
    return f"""const char *{prefix}_message(int code)
{{
    switch (code) {{
{cases}    default:
        return "not a code of this model";
    }}
}}

{text_table("names", [encode(item.name) for item in signature.inputs])}
const char *{prefix}_input_name(int input)
{{
    return input >= 0 && input < {count} ? (const char *)names_text + names_at[input] : NULL;
}}
"""
