"""How numbers, times and digests are written on a page: one way each.

Fractions have three decimals, counts have separators, what is very small has a power of ten, and a missing number is
an en dash. Nothing here rounds a number that another function then compares.

>>> number(0.66312), number(37521), number(3.1e-13), number(None), number(-0.5)
('0.663', '37,521', '3.1 × 10⁻¹³', '–', '−0.500')
>>> interval(0.628, 0.687), percent(0.2), when("2026-11-01T12:00:00Z")
('[0.628, 0.687]', '20 %', '1 Nov 2026, 12:00 UTC')
>>> short("sha256:7c1f9a2e55"), duration(75.2)
('7c1f9a2e', '1 min 15 s')
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Final

__all__ = ["clean", "count", "duration", "estimated", "interval", "number", "percent", "short", "signed", "when"]

LONGEST_TEXT: Final = 1_000
"""Characters of one text on a page; what is longer ends in an ellipsis."""

_MISSING: Final = "–"
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Control characters break XML; bidirectional overrides (CVE-2021-42574) make text read as what it is not.
_HOSTILE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff]"
)


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """``text`` without control characters, bidirectional overrides and lone surrogates, and not too long."""
    text = _HOSTILE.sub("\N{REPLACEMENT CHARACTER}", text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def number(value: float | None, unit: str | None = None) -> str:
    """A measured number, with its unit if it has one."""
    if value is None or math.isnan(value):
        return _MISSING
    text = _digits(value)
    if unit is None:
        return text
    return f"{text} {clean(unit, 20)}"


def _digits(value: float) -> str:
    size = abs(value)
    if math.isinf(value):
        text = "∞"
    elif size == 0 or (size >= 1 and size == math.floor(size) and size < 1e15):
        text = f"{size:,.0f}"
    elif size < 0.0005 or size >= 1e15:
        mantissa, exponent = f"{size:.1e}".split("e")
        text = f"{mantissa.removesuffix('.0')} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    elif size >= 1000:
        text = f"{size:,.0f}"
    elif size >= 100:
        text = f"{size:.1f}"
    else:
        text = f"{size:.3f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def signed(value: float | None) -> str:
    """A difference: as ``number``, with a plus sign when it is above zero."""
    text = number(value)
    return f"+{text}" if value is not None and value > 0 else text


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval in brackets, the limit alone when the other end is open, a dash without any."""
    if low is None:
        return _MISSING if high is None else f"≤ {number(high)}"
    return f"≥ {number(low)}" if high is None else f"[{number(low)}, {number(high)}]"


def estimated(value: float | None, low: float | None, high: float | None, unit: str | None = None) -> str:
    """An estimate and its interval in one line.

    >>> estimated(0.663, 0.628, 0.687), estimated(1.31, None, 1.74, "ms")
    ('0.663 [0.628, 0.687]', '1.310 ms (≤ 1.740)')
    """
    if low is None and high is None:
        return number(value, unit)
    spread = interval(low, high)
    return f"{number(value, unit)} {spread if spread.startswith('[') else f'({spread})'}"


def count(value: int | None) -> str:
    """A count with separators of thousands."""
    return _MISSING if value is None else f"{value:,}"


def percent(share: float | None) -> str:
    """A share as a percentage with at most one decimal."""
    if share is None or not math.isfinite(share):
        return _MISSING
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def when(at: str | None) -> str:
    """A time of RFC 3339 (in UTC to the minute) or a date, as people write it; what is neither stays as it is."""
    if at is None:
        return _MISSING
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return clean(at, 40)
    day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    if len(at) <= len("2026-11-01"):
        return day
    if moment.tzinfo is None:
        return f"{day}, {moment:%H:%M}"
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return clean(at, 40)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def duration(seconds: float | None) -> str:
    """A stretch of time in its largest two units."""
    if seconds is None or not math.isfinite(seconds):
        return _MISSING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def short(digest: str | None) -> str:
    """The first eight characters of a digest or commit, without the name of its algorithm."""
    if not digest:
        return _MISSING
    return clean(digest.rpartition(":")[2], 200)[:8]
