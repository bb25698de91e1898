"""The times of rows, as the declared column has them, and whether a split is one by time.

Times are all numbers, or all dates and moments (ISO 8601 where they are texts); a moment with a zone is taken in UTC.

>>> numbers_of_times(["2013-01-01", "2013-01-01T12:00:00"]).tolist()
[15706.0, 15706.5]
>>> numbers_of_times(["soon"]) is None
True
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.certify.evidence import Evidence

__all__ = ["is_by_time", "numbers_of_times", "times_of"]

_DAY = 86_400.0
_EPOCH = datetime(1970, 1, 1)


def numbers_of_times(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """Moments as days since 1970, numbers as they are; None if a value is no time, or they are not of one kind."""
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        numbers = np.array(values, dtype=np.float64)
        return None if np.isnan(numbers).any() else numbers
    moments = [_moment(value) for value in values]
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(moments) or len({moment.tzinfo is None for moment in known}) > 1:
        return None
    plain = [moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None) for moment in known]
    return np.array([(moment - _EPOCH).total_seconds() / _DAY for moment in plain])


def times_of(evidence: Evidence) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The times of training and hold-out; None if a row has none, or one that cannot be read."""
    columns = [split.extra.get("time") for split in (evidence.train, evidence.holdout)]
    if columns[0] is None or columns[1] is None:
        return None
    found = numbers_of_times([*columns[0].tolist(), *columns[1].tolist()])
    return None if found is None else (found[: evidence.train.rows], found[evidence.train.rows :])


def is_by_time(evidence: Evidence) -> bool:
    """Whether the whole hold-out is later than training: then it differs from it by what changed meanwhile."""
    times = times_of(evidence)
    return times is not None and bool(times[0].max() <= times[1].min())


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else None
