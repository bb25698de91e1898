"""A number with its interval, as pages take it.

>>> Estimate(value=0.663, low=0.628, high=0.687).confidence
0.95
"""

from __future__ import annotations

import msgspec

__all__ = ["Estimate", "View"]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what pages are rendered from: frozen, by keyword. Faces fill views from records."""


class Estimate(View, frozen=True, kw_only=True):
    """``value`` with the interval from ``low`` to ``high`` at ``confidence``.

    An end that is None is open (a one-sided limit); both None means that no interval was taken.
    """

    value: float
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
