"""Run one check so that whatever it does, the others go on.

A check that raises gives an INCONCLUSIVE with what it said, and so does one that takes longer than its time limit. The
limit is an alarm of this process, so it holds in the main thread alone, and a call into compiled code ends before it is
stopped. What a person interrupts is interrupted.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from mintage.certify.check import Check, CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import without_number

__all__ = ["run_guarded"]

_MOST_TEXT = 200


class _Overdue(BaseException):
    """The alarm; no Exception, so that a check which catches those is stopped too."""


def run_guarded(
    check: Check[Any],
    evidence: Evidence,
    requirement: Requirement,
    *,
    resampling: Resampling,
    latency: LatencyRun | None,
    limit_s: float,
) -> tuple[CheckResult, bool]:
    """The result, and whether the check itself gave it."""
    try:
        with _alarm(limit_s):
            return check.run(evidence, requirement, resampling=resampling, latency=latency), True
    except _Overdue:
        reason = f"{check.title}: not known, the check was stopped after {limit_s:g} s"
    except Exception as error:  # noqa: BLE001 - a check may be a third party's: whatever it does, the rest are judged
        said = " ".join(str(error).split())[:_MOST_TEXT]
        reason = f"{check.title}: not known, the check broke off: {type(error).__name__}{f': {said}' if said else ''}"
    return without_number(check, requirement, verdict="INCONCLUSIVE", reason=reason), False


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _Overdue

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
