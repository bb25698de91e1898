"""When something that holds through a day ends: what people approve and sign has a last day, in UTC.

>>> ends_at(date(2027, 1, 31))
'2027-02-01T00:00:00Z'
"""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["ends_at"]


def ends_at(last_day: date) -> str:
    """The end of the day (RFC 3339, UTC), from which on it holds no more."""
    return f"{last_day + timedelta(days=1)}T00:00:00Z"
