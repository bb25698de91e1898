"""Turn an interval into a verdict, and verdicts into one.

PASS only if the bad end of the interval meets the threshold, FAIL only if the good end misses it, else INCONCLUSIVE.
Pure: no files, clock or randomness.

>>> judge(Interval(low=0.63, high=0.72, confidence=0.95), Gate(direction="at_least", threshold=0.60))
'PASS'
>>> judge(Interval(low=0.58, high=0.72, confidence=0.95), Gate(direction="at_least", threshold=0.60))
'INCONCLUSIVE'
>>> judge(Interval(low=0.11, high=0.15, confidence=0.95), Gate(direction="at_most", threshold=0.10))
'FAIL'
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from mintage.stats.interval import Interval

__all__ = ["Gate", "Judged", "Severity", "Verdict", "judge", "overall", "settles_at"]

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE"]
Severity = Literal["must", "should", "note"]
_MOST = 10_000_000


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a number must do: be at least, strictly above, or at most the threshold."""

    direction: Literal["at_least", "above", "at_most"]
    threshold: float

    def met_by(self, value: float) -> bool:
        """Whether ``value`` meets the gate."""
        if self.direction == "at_least":
            return value >= self.threshold
        return value > self.threshold if self.direction == "above" else value <= self.threshold


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What ``overall`` needs of one result; ``waived`` says that a waiver lets its FAIL stand."""

    severity: Severity
    verdict: Verdict
    waived: bool = False


def judge(interval: Interval, gate: Gate) -> Verdict:
    """The verdict of one interval; raises ValueError for NaN ends."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        raise ValueError("an interval with NaN has no verdict")
    bad, good = (interval.high, interval.low) if gate.direction == "at_most" else (interval.low, interval.high)
    if gate.met_by(bad):
        return "PASS"
    return "INCONCLUSIVE" if gate.met_by(good) else "FAIL"


def settles_at(estimate: float, interval: Interval, gate: Gate, count: int) -> int | None:
    """About how many groups (or rows) would settle it, ``count`` being what there is now.

    An interval shrinks with the square root of the count; None if the estimate lies on the threshold, or so near that
    no realistic number is enough.
    """
    gap = abs(estimate - gate.threshold)
    below = (estimate < gate.threshold) if gate.direction != "at_most" else (estimate <= gate.threshold)
    reach = interval.high - estimate if below else estimate - interval.low
    if gap == 0 or reach / gap > math.sqrt(_MOST / count):
        return None
    return max(count + 1, math.ceil(count * (reach / gap) ** 2))


def overall(results: Iterable[Judged], *, inconclusive: Literal["block", "allow"]) -> Verdict:
    """One verdict: FAIL if a ``must`` fails; INCONCLUSIVE if one is, unless the policy allows it; else PASS.

    ``should`` and ``note`` never block, nor does what is waived.
    """
    verdicts = {result.verdict for result in results if result.severity == "must" and not result.waived}
    if "FAIL" in verdicts:
        return "FAIL"
    return "INCONCLUSIVE" if "INCONCLUSIVE" in verdicts and inconclusive == "block" else "PASS"
