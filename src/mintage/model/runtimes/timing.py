"""Time calls of one row each, after a warm-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["time_calls"]

Row = TypeVar("Row")
_WARM_UP = 20


def time_calls(call: Callable[[Row], object], rows: Sequence[Row], count: int) -> list[float]:
    """Microseconds of ``count`` calls, going round the rows; none if there are no rows."""
    if not rows or count < 1:
        return []
    for place in range(_WARM_UP):
        call(rows[place % len(rows)])
    found = []
    for place in range(count):
        row = rows[place % len(rows)]
        started = time.perf_counter_ns()
        call(row)
        found.append((time.perf_counter_ns() - started) / 1000)
    return found
