"""Judge a canary: promote it, roll it back, or wait. Pure.

The evidence is the outcome of its decisions: per block (a day) how many predictions of champion and challenger turned
out wrong. Both e-processes may be looked at whenever labels arrive, without raising the chance of a wrong decision
above ``alpha`` each (see :mod:`mintage.stats.sequential`). A canary without outcomes is never promoted: that it answers
requests does not show that it is right. Within a day requests are assigned by a hash, so the arms share its weather.

>>> from mintage.stats.sequential import Block
>>> judge((), alpha=0.05, margin=0.02).action
'hold'
>>> day = Block(stable_rows=800, stable_failures=200, canary_rows=200, canary_failures=40)
>>> judge([day] * 30, alpha=0.05, margin=0.02).action
'promote'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mintage.stats.sequential import Block, log_e_harm, log_e_noninferior

__all__ = ["CanaryVerdict", "judge"]


@dataclass(frozen=True, kw_only=True)
class CanaryVerdict:
    """What to do with a canary, in one sentence and in numbers; evidence is e-values (1 means none)."""

    action: Literal["promote", "hold", "rollback"]
    sentence: str
    rows: int
    champion_wrong: float | None
    challenger_wrong: float | None
    evidence_harm: float
    evidence_noninferior: float


def judge(blocks: Sequence[Block], *, alpha: float, margin: float) -> CanaryVerdict:
    """The verdict after all ``blocks``: roll back once harm is shown at ``alpha``, promote once the challenger is shown
    to be wrong less than ``margin`` more often than the champion."""
    canary_rows = sum(block.canary_rows for block in blocks)
    stable_rows = sum(block.stable_rows for block in blocks)
    harm = max(log_e_harm(blocks), default=0.0) if blocks else 0.0
    noninferior = max(log_e_noninferior(blocks, margin=margin), default=0.0) if blocks else 0.0
    stable = sum(block.stable_failures for block in blocks) / stable_rows if stable_rows else None
    canary = sum(block.canary_failures for block in blocks) / canary_rows if canary_rows else None
    needed = math.log(1 / alpha)
    action: Literal["promote", "hold", "rollback"]
    if canary is None or stable is None:
        action, sentence = "hold", "no prediction of the canary has a label yet: wait until outcomes arrive"
    elif harm >= needed:
        action = "rollback"
        sentence = f"the challenger is wrong more often: {canary:.1%} against {stable:.1%}"
    elif noninferior >= needed:
        action = "promote"
        sentence = f"the challenger is shown to be no worse: wrong in {canary:.1%}, the champion in {stable:.1%}"
    else:
        action = "hold"
        sentence = f"not enough evidence yet: wrong in {canary:.1%}, the champion in {stable:.1%}"
    return CanaryVerdict(
        action=action,
        sentence=sentence,
        rows=canary_rows,
        champion_wrong=stable,
        challenger_wrong=canary,
        evidence_harm=math.exp(min(harm, 700.0)),
        evidence_noninferior=math.exp(min(noninferior, 700.0)),
    )
