"""Look a value up among many: nested CASE that halve the keys, so a look-up costs the logarithm of their number.

>>> look_up("x", ["1", "2"], ["'a'", "'b'"], default="NULL")
"CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE NULL END"
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["look_up"]

_FEW = 8


def look_up(sql: str, keys: Sequence[str], values: Sequence[str], *, default: str) -> str:
    """``sql`` is a column without NULL, or one whose NULL has the default; ``keys`` ascend as the dialect orders."""
    if not keys:
        return default
    if len(keys) <= _FEW:
        cases = " ".join(f"WHEN {key} THEN {value}" for key, value in zip(keys, values, strict=True))
        return f"CASE {sql} {cases} ELSE {default} END"
    middle = len(keys) // 2
    below = look_up(sql, keys[:middle], values[:middle], default=default)
    above = look_up(sql, keys[middle:], values[middle:], default=default)
    return f"CASE WHEN {sql} < {keys[middle]} THEN {below} ELSE {above} END"
