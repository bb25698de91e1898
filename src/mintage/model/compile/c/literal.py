"""Numbers and texts as literals of C, to the bit.

>>> number(0.1, "double"), number(np.float32(0.1), "float"), number(-1, "int64"), number(float("nan"), "double")
('0.1', '0.1f', '(-INT64_C(1))', 'NAN')
>>> print(text(b'Z\\xc3\\xbcrich "1"?'))
"Z\\303\\274rich \\"1\\"\\?"
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["encode", "exact", "number", "rows", "text", "text_table"]

_LONGEST = 4000  # C99 promises string literals of 4095 bytes


def number(value: Any, kind: str) -> str:
    """One number, in parentheses if it is negative. ``kind`` is a type of ``model.program``."""
    if kind in ("double", "float"):
        if math.isnan(value):
            return "NAN"
        if math.isinf(value):
            return "INFINITY" if value > 0 else "(-INFINITY)"
        digits = str(np.float32(value)) + "f" if kind == "float" else repr(float(value))
    elif kind == "int64":
        if value == -(2**63):
            return "INT64_MIN"
        digits = f"-INT64_C({-int(value)})" if value < 0 else f"INT64_C({int(value)})"
    elif kind == "int32":
        if value == -(2**31):
            return "INT32_MIN"
        digits = str(int(value))
    else:
        digits = str(int(value))
    return f"({digits})" if digits.startswith("-") else digits


def exact(values: Iterable[float]) -> list[str]:
    """Numbers of a large table in the hexadecimal form, which no compiler rounds; infinities by their name.

    A forest has infinite thresholds where it splits off missing values alone.
    """
    return [_shorter(value.hex()) if math.isfinite(value) else number(value, "double") for value in map(float, values)]


def _shorter(digits: str) -> str:
    mantissa, _, exponent = digits.partition("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return "0" if mantissa in ("0x0", "-0x0") else f"{mantissa}p{exponent.removeprefix('+')}"


def encode(value: str) -> bytes:
    """The text as the C code sees it: UTF-8, but for a NUL, which is written as the bytes C0 80.

    C strings end at a NUL. The two bytes are what "modified UTF-8" has for it; they occur in no other text.
    """
    return value.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")


def text(data: bytes) -> str:
    """A string literal of the bytes."""
    return '"' + "".join(_character(byte) for byte in data) + '"'


def _character(byte: int) -> str:
    if chr(byte) in '"\\?':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def rows(items: Sequence[str], *, indent: str = "    ", width: int = 110) -> str:
    """Items with commas, in lines of bounded width."""
    lines: list[str] = []
    line: list[str] = []
    length = 0
    for item in items:
        if line and length + len(item) > width:
            lines.append(indent + " ".join(line))
            line, length = [], 0
        line.append(item + ",")
        length += len(item) + 2
    return "\n".join([*lines, indent + " ".join(line)])


def text_table(name: str, texts: Sequence[bytes]) -> str:
    """Texts one after the other, each ended by a NUL, as ``name_text``, and where each begins as ``name_at``."""
    total = sum(len(item) + 1 for item in texts)
    if total <= _LONGEST:
        body = " =\n" + "\n".join("    " + text(item)[:-1] + '\\0"' for item in texts) + ";"
    else:
        numbers = [str(byte) for item in texts for byte in (*item, 0)]
        body = " = {\n" + rows(numbers) + "\n};"
    starts, place = [], 0
    for item in texts:
        starts.append(str(place))
        place += len(item) + 1
    return (
        f"static const unsigned char {name}_text[]{body}\n"
        f"static const uint32_t {name}_at[{len(texts)}] = {{\n{rows(starts)}\n}};\n"
    )
