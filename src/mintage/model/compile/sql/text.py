"""Names and values as SQL spells them, safe for any text: what is quoted here cannot end its own quotes.

>>> print(quote_name('de"lay'), quote_text("O'Hare"), number(0.1, "postgresql"), number(1e300, "duckdb"))
"de""lay" 'O''Hare' '0.1'::float8 1e+300
"""

from __future__ import annotations

import math
from typing import Literal

from mintage.errors import GraphRefusedError

__all__ = ["Dialect", "number", "quote_name", "quote_text", "real"]

Dialect = Literal["duckdb", "postgresql"]
LONGEST_NAME = 63


def quote_name(name: str) -> str:
    """A column's or table's name."""
    if not name or "\0" in name:
        raise GraphRefusedError("a name that SQL cannot hold", found=repr(name), hint="rename the column")
    return '"' + name.replace('"', '""') + '"'


def quote_text(value: str) -> str:
    """A text; one with a backslash is written so that no server setting changes what it means.

    A NUL is put in by DuckDB's ``chr``: its parser ends at one.
    """
    if "\0" in value:
        return "(" + " || chr(0) || ".join(quote_text(part) for part in value.split("\0")) + ")"
    quoted = value.replace("'", "''")
    return f"'{quoted}'" if "\\" not in value else "E'" + quoted.replace("\\", "\\\\") + "'"


def number(value: float, dialect: Dialect) -> str:
    """A double that reads back to the same bits, as a double: neither dialect may take it for a decimal."""
    if math.isnan(value):
        return "CAST(NULL AS float8)"
    if math.isinf(value):
        return "'Infinity'::float8" if value > 0 else "'-Infinity'::float8"
    spelled = repr(float(value))
    if dialect == "postgresql" or math.copysign(1.0, value) < 0:
        return f"'{spelled.removesuffix('.0')}'::float8"
    return spelled if "e" in spelled else f"{spelled.removesuffix('.0')}e0"


def real(value: float, dialect: Dialect) -> str:
    """A float32, given as the double that it is."""
    return f"CAST({number(value, dialect)} AS float4)"
