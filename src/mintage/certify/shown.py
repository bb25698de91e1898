"""Which examples a certificate may show: a policy may forbid rows, and a sealed hold-out never shows its own. Pure.

What is kept for the next certification holds no more than the certificate does.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from mintage.certify.check import CheckResult
from mintage.certify.example import MOST_EXAMPLES, Example
from mintage.certify.holdout_use import HoldoutUse

__all__ = ["Shown", "shown_examples", "with_shown"]

Shown = Literal["rows", "no rows of the hold-out", "no rows"]
_HIDDEN: dict[Shown, frozenset[str]] = {
    "rows": frozenset(),
    "no rows of the hold-out": frozenset({"hold-out"}),
    "no rows": frozenset({"hold-out", "made", "finding"}),
}


def shown_examples(*, examples: bool, use: HoldoutUse | None) -> Shown:
    """What the policy's key ``examples`` and the hold-out let be shown."""
    if not examples:
        return "no rows"
    return "rows" if use is None or use.sealed is None else "no rows of the hold-out"


def with_shown(result: CheckResult, shown: Shown) -> CheckResult:
    """The result with the examples that may be shown, and not too many; else as it is."""
    kept: tuple[Example, ...] = tuple(item for item in result.examples if item.of not in _HIDDEN[shown])
    return msgspec.structs.replace(result, examples=kept[:MOST_EXAMPLES])
