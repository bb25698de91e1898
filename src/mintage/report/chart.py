"""A picture on a page: drawn wide and narrow, with words for those who do not see it and the numbers behind it.

``Chart`` is what a template needs; ``thinned``, ``scale_format`` and the other small functions here are what the files
with specifications (``certificate_charts``, ``story_charts``) have in common. Text from outside goes into charts as
data only, cleaned, never as a field name or an expression.

>>> scale_format([0.2, 0.7]), scale_format([12_000.0]), scale_format([1e-13])
('~g', ',.0f', '.0e')
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from mintage.report.estimate import View
from mintage.report.svg import draw

__all__ = ["Chart", "Key", "drawn", "finite", "nice_domain", "scale_format", "thinned"]

T = TypeVar("T")

WIDE: Final = 900
"""Width in pixels of a chart across the page, and of the same chart on a phone."""
NARROW: Final = 340


class Key(View, frozen=True, kw_only=True):
    """One entry of a legend: a colour token, a shape, and what it stands for."""

    token: str
    shape: str
    """dot, diamond, triangle, line, dashes, bar or band."""
    label: str


class Chart(View, frozen=True, kw_only=True):
    """One figure: the drawings are safe markup, all else is plain text."""

    name: str
    """Unique on its page: the figure's id."""
    title: str
    alt: str
    """What the picture shows, in words."""
    wide: str
    narrow: str
    """Equal to ``wide`` for a chart that is small anyway."""
    keys: tuple[Key, ...] = ()
    note: str | None = None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The numbers behind the picture, formatted."""


def drawn(spec: Callable[[int], Mapping[str, object]]) -> tuple[str, str]:
    """The specification drawn for a wide screen and for a phone."""
    return draw(spec(WIDE)), draw(spec(NARROW))


def thinned(values: tuple[T, ...], most: int) -> tuple[T, ...]:
    """At most ``most`` of the values, evenly chosen, with both ends."""
    if len(values) <= most:
        return values
    step = (len(values) - 1) / (most - 1)
    return tuple(values[round(index * step)] for index in range(most))


def finite(values: Iterable[float | None]) -> list[float]:
    """The values that can be drawn."""
    return [value for value in values if value is not None and math.isfinite(value)]


def nice_domain(values: Iterable[float | None], *, margin: float = 0.08) -> list[float]:
    """The ends of a scale that shows all values with a margin, never of width zero."""
    shown = finite(values) or [0.0]
    low, high = min(shown), max(shown)
    pad = (high - low) * margin or abs(high) * margin or 1.0
    return [low - pad, high + pad]


def scale_format(values: Iterable[float | None]) -> str:
    """The d3 format of an axis that covers the values."""
    size = max((abs(value) for value in finite(values)), default=0.0)
    if size >= 1000:
        return ",.0f"
    return ".0e" if 0 < size < 0.005 else "~g"
