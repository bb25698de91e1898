"""One column of one tensor, as SQL: an expression with its type, and what is known of its values.

NULL is NaN. A bool is a condition of three values in which NULL counts as false: so it may stand behind WHEN as it is,
and is negated by IS NOT TRUE. ``big`` bounds the size of a number (infinity: it may be infinite); all its finite values
are multiples of ``grain``; ``negative``: it may be less than 0. From these follows where PostgreSQL, which makes an
error of an overflow and of a product that is rounded to 0, needs a guard.

>>> constant(0.5, "double", "duckdb").grain
0.5
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mintage.model.compile.sql.text import Dialect, number, quote_text, real
from mintage.model.program import Type

__all__ = ["BIGGEST", "GRAIN", "Cell", "Choice", "constant", "either", "grain_of", "top"]

GRAIN = 5e-324
BIGGEST = 1.7976931348623157e308


@dataclass(frozen=True)
class Choice:
    """One of two constants by a condition."""

    condition: Cell
    yes: float
    no: float


@dataclass(frozen=True)
class Cell:
    """``level`` is the first step that can evaluate it, ``uses`` the columns of earlier steps that it reads.

    ``plain``: a column or a constant, which may be repeated at no cost.
    """

    sql: str
    type: Type
    level: int = 0
    uses: frozenset[str] = frozenset()
    depth: int = 1
    null: bool = False
    big: float = math.inf
    grain: float = GRAIN
    negative: bool = True
    value: Any = None
    choice: Choice | None = None
    plain: bool = False


def constant(value: Any, type_: Type, dialect: Dialect) -> Cell:
    """A constant of a tensor."""
    if type_ == "string":
        return Cell(quote_text(str(value)), type_, value=str(value), plain=True)
    if type_ == "bool":
        return Cell("TRUE" if value else "FALSE", type_, value=bool(value), plain=True)
    if type_ in ("double", "float"):
        found = float(value)
        spelled = number(found, dialect) if type_ == "double" else real(found, dialect)
        nan = math.isnan(found)
        known: dict[str, Any] = {"big": 0.0 if nan else abs(found), "grain": grain_of(found), "negative": found < 0}
        return Cell(spelled, type_, null=nan, value=found, plain=True, **known)
    spelled = f"CAST({int(value)} AS bigint)" if dialect == "postgresql" else f"({int(value)})::bigint"
    return Cell(spelled, type_, big=float(abs(int(value))), grain=1.0, negative=value < 0, value=int(value), plain=True)


def grain_of(value: float) -> float:
    """The largest power of two of which a double is a multiple; of 0, infinities and NaN, which limit nothing, 1.

    >>> grain_of(3.0), grain_of(0.75), grain_of(5e-324)
    (1.0, 0.25, 5e-324)
    """
    if value == 0 or not math.isfinite(value):
        return 1.0
    mantissa, exponent = math.frexp(abs(value))
    whole = int(mantissa * 2**53)
    return math.ldexp(whole & -whole, exponent - 53)


def top(cell: Cell) -> float:
    """The largest finite size that it may have."""
    return min(cell.big, BIGGEST)


def either(cells: list[Cell]) -> dict[str, Any]:
    """What is known of a value that is one of several."""
    return {
        "null": any(cell.null for cell in cells),
        "big": max(cell.big for cell in cells),
        "grain": min(cell.grain for cell in cells),
        "negative": any(cell.negative for cell in cells),
    }
