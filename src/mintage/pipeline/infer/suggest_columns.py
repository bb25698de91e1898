"""Columns that may be an id, a time or a group key: suggested, never taken. Pure but for Arrow.

A group key changes every interval of a certificate, so a person says which column it is; what can be seen is that a
column repeats its values, and is neither an input nor the target.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyarrow import compute

__all__ = ["suggest_columns"]

FEWEST_GROUPS = 5


def suggest_columns(table: Any, *, taken: frozenset[str]) -> list[tuple[str, str, str]]:
    """(key, column, why) for the columns of ``table`` that are not ``taken``."""
    found = []
    for name in table.column_names:
        if name in taken or table.num_rows == 0 or table.column(name).null_count:
            continue
        column = table.column(name)
        if pa.types.is_temporal(column.type):
            found.append(("time", name, "holds times, and is no input"))
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if not (text or pa.types.is_integer(column.type) or pa.types.is_date(column.type)):
            continue
        distinct = compute.count_distinct(column).as_py()
        if distinct == table.num_rows and not pa.types.is_date(column.type):
            found.append(("id", name, "differs in each training row, and is no input"))
        elif FEWEST_GROUPS <= distinct <= table.num_rows // 2:
            seen = f"{distinct:,} values over {table.num_rows:,} training rows, and is no input"
            found.append(("group_key", name, f"has {seen}; do rows of one value belong together?"))
    return found
