"""Choose among what several makers have for one key. Pure.

A result of CI comes before one's own, that before a colleague's; of equals the newest counts. Two trusted makers whose
outputs differ are told of: the stage is not reproducible, or somebody is wrong.

>>> age("2026-01-03T10:00:00Z", now="2026-01-05T11:00:00Z")
'2 days ago'
>>> ended("2026-01-03T10:00:00Z", now="2026-05-05T11:00:00Z", days=90)
'was made 122 days ago, and trust.yaml takes results of the last 90 days'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mintage.pipeline.shared.statement import SharedResult

__all__ = ["Offer", "age", "disagreement", "ended", "in_order", "made_by"]

_DAY_S = 86_400
_UNITS = (("day", _DAY_S), ("hour", 3600), ("minute", 60))


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A result whose signature is proven and whose maker counts: ``maker`` is the name, ``rank`` 0 the most trusted;
    ``sealed`` are the bytes of the statement."""

    shared: SharedResult
    maker: str
    rank: int
    sealed: bytes


def in_order(offers: Sequence[Offer]) -> list[Offer]:
    """The offers, the one to take first."""
    newest = sorted(offers, key=lambda offer: (offer.shared.made, offer.shared.run), reverse=True)
    return sorted(newest, key=lambda offer: offer.rank)


def disagreement(offers: Sequence[Offer]) -> str | None:
    """What to say if they are not of one mind about the outputs; ``offers`` are in order."""
    first = _outputs(offers[0]) if offers else {}
    for other in offers[1:]:
        theirs = _outputs(other)
        differing = [path for path, digest in first.items() if theirs.get(path) != digest]
        if differing:
            first_maker, second = offers[0].maker, other.maker
            who = f"two makers disagree: {first_maker} and {second}" if first_maker != second else f"{second} twice"
            return (
                f"{who} made different {', '.join(differing[:3])} from the same key; what counts is that of "
                f"{first_maker}, of {offers[0].shared.made[:10]}. The stage is not reproducible: see its `determinism`"
            )
    return None


def ended(made: str, *, now: str, days: int | None) -> str | None:
    """Why a result that was ``made`` then does not count at ``now``; None if it does."""
    seconds = _seconds(made, now)
    if seconds < -_DAY_S:
        return f"says that it was made on {made[:10]}, which has not come yet"
    if days is not None and seconds > days * _DAY_S:
        return f"was made {age(made, now=now)}, and trust.yaml takes results of the last {days} days"
    return None


def age(made: str, *, now: str) -> str:
    """How long ago that was, for people."""
    seconds = _seconds(made, now)
    for unit, length in _UNITS:
        count = int(seconds // length)
        if count > 0:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def made_by(offer: Offer, *, now: str) -> str:
    """Who made it, when, for people."""
    return f"made by {offer.maker}, {age(offer.shared.made, now=now)}"


def _outputs(offer: Offer) -> dict[str, str]:
    return {item.path: item.digest for item in offer.shared.outputs}


def _seconds(made: str, now: str) -> float:
    return (datetime.fromisoformat(now) - datetime.fromisoformat(made)).total_seconds()
