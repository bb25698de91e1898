"""Show how far certification is, on stderr: each check as it ends, and a bar where that is a terminal.

Where it is none, such as in CI, a check that took two seconds or more has its line, and the rest are silent.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from mintage.certify.check import CheckResult, Requirement
from mintage.cli.console import Advance, progress, say

__all__ = ["CheckProgress", "show_checks"]

_WORTH_A_LINE_S = 2.0


class CheckProgress:
    """Lines by ``tell``, and ``advance`` for the bar; ``clock`` gives seconds. A check that runs several times,
    at other confidences, is told once a run."""

    def __init__(
        self,
        advance: Advance,
        tell: Callable[[str], None],
        *,
        every: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._advance, self._tell, self._every, self._clock = advance, tell, every, clock
        self._since = clock()
        self._done: set[str] = set()

    def started(self, requirement: Requirement) -> None:
        """See ``certify.Progress``."""
        self._since = self._clock()
        self._advance(len(self._done), title=f"{requirement.check} {requirement.id}")

    def ended(self, result: CheckResult, *, kept: bool) -> None:
        """See ``certify.Progress``."""
        took = self._clock() - self._since
        self._done.add(result.requirement)
        self._advance(len(self._done))
        if self._every or took >= _WORTH_A_LINE_S:
            verdict = result.verdict.replace("_", " ")
            self._tell(f"  {result.check:<4} {result.requirement}: {verdict}, {'kept' if kept else f'{took:.1f} s'}")


@contextlib.contextmanager
def show_checks(asked: Sequence[Requirement]) -> Iterator[CheckProgress]:
    """The progress of the checks of ``asked`` while the block runs."""
    with progress("checks", len(asked)) as advance:
        yield CheckProgress(advance, say, every=sys.stderr.isatty())
