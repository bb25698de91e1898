"""Find the first bad one of many versions by halving. Pure.

Versions are numbered from 0, the oldest. The last one was seen to be bad; some may be impossible to judge and are
skipped. With nothing skipped it takes at most ``ceil(log2 n)`` further judgements.

>>> judged = {63: "bad"}
>>> while (number := next_probe(64, judged)) is not None:
...     judged[number] = "bad" if number >= 41 else "good"
>>> suspects(64, judged), len(judged)
((41,), 7)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["Judgement", "last_good", "next_probe", "suspects"]

Judgement = Literal["good", "bad", "skip"]


def next_probe(count: int, judged: Mapping[int, Judgement]) -> int | None:
    """The version to judge next: the one nearest to the middle of what is open; None if nothing more can be learned."""
    low, high = _bounds(count, judged)
    open_ones = [number for number in range(low + 1, high) if number not in judged]
    middle = (low + high) // 2
    return min(open_ones, key=lambda number: (abs(number - middle), number)) if open_ones else None


def suspects(count: int, judged: Mapping[int, Judgement]) -> tuple[int, ...]:
    """Which versions may be the first bad one: one of them is, more than one where some were skipped."""
    low, high = _bounds(count, judged)
    return tuple(range(low + 1, high + 1))


def last_good(count: int, judged: Mapping[int, Judgement]) -> int | None:
    """The newest version before the suspects that was seen to be good; None if none was."""
    low, _ = _bounds(count, judged)
    return low if low >= 0 else None


def _bounds(count: int, judged: Mapping[int, Judgement]) -> tuple[int, int]:
    """The newest good version below the oldest bad one (-1: none), and that."""
    high = min((number for number, said in judged.items() if said == "bad"), default=count - 1)
    low = max((number for number, said in judged.items() if said == "good" and number < high), default=-1)
    return low, high
