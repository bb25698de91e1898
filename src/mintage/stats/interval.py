"""An interval: what is known of a number.

>>> Interval(low=0.6, high=0.7, confidence=0.95).contains(0.65)
True
"""

from __future__ import annotations

import msgspec

__all__ = ["Interval"]


class Interval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A two-sided confidence interval with both ends inside it. ``confidence`` is 1 for an exact count."""

    low: float
    high: float
    confidence: float

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies in the interval."""
        return self.low <= value <= self.high
