"""A picture on a page: drawn wide and narrow, with words for those who do not see it and the numbers behind it.

``Chart`` is what a template needs; ``thinned``, ``scale_labels`` and the other small functions here are what the files
with specifications (``certificate_charts``, ``traffic_chart`` and others) have in common. Text from outside
goes into charts as data only, cleaned, never as a field name or an expression.

>>> scale_labels([0.2, 0.7]), scale_labels([12_000.0])
({'format': '~r'}, {'format': ',.0f'})
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from mintage.report.estimate import Estimate, View
from mintage.report.palette import light
from mintage.report.svg import draw

__all__ = [
    "MOST_PERIODS",
    "Chart",
    "Key",
    "drawn",
    "finite",
    "interval_values",
    "nice_domain",
    "rule",
    "scale_labels",
    "thinned",
    "time_axis",
]

T = TypeVar("T")

WIDE: Final = 960
"""Width in pixels of a chart across the page, and of the same chart on a phone."""
NARROW: Final = 340

MOST_PERIODS: Final = 36
"""Periods that a chart shows: the newest."""


class Key(View, frozen=True, kw_only=True):
    """One entry of a legend: a colour token, a shape, and what it stands for."""

    token: str
    shape: str
    """dot, diamond, square, triangle, line, rule, dashes, bar or band."""
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
    """The ends of a scale that shows all values with a margin, never of width zero; little of it below zero."""
    shown = finite(values) or [0.0]
    low, high = min(shown), max(shown)
    pad = (high - low) * margin or abs(high) * margin or 1.0
    return [max(-pad / 4, low - pad) if low >= 0 else low - pad, high + pad]


def scale_labels(values: Iterable[float | None]) -> dict[str, str]:
    """How an axis that covers the values writes its numbers."""
    size = max((abs(value) for value in finite(values)), default=0.0)
    if 0 < size < 0.0005:
        return {"labelExpr": "datum.value == 0 ? '0' : format(datum.value, '.0e')"}
    return {"format": ",.0f" if size >= 1000 else "~r"}


def rule(axis: str, at: float, *, token: str = "ink", dashed: bool = True) -> dict[str, object]:
    """A layer with one straight line across the chart: ``axis`` is "x" or "y"."""
    mark: dict[str, object] = {"type": "rule", "color": light(token), "strokeWidth": 1.5}
    if dashed:
        mark["strokeDash"] = [4, 3]
    return {"data": {"values": [{}]}, "mark": mark, "encoding": {axis: {"datum": at, "type": "quantitative"}}}


def time_axis(labels: list[str], width: int) -> dict[str, object]:
    """An ordinal axis of periods, its labels upright where they do not fit side by side."""
    longest = max((len(label) for label in labels), default=1)
    crowded = len(labels) * (longest * 7 + 10) > width
    return {"labelAngle": -90 if crowded else 0, "labelLimit": 90, "title": None, "domain": True}


def interval_values(estimate: Estimate, *, period: str) -> dict[str, object]:
    low, high = finite([estimate.low]), finite([estimate.high])
    ends = {"low": low[0] if low else estimate.value, "high": high[0] if high else estimate.value}
    return {"period": period, "value": estimate.value, **ends}
