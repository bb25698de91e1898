"""Which clauses are proven, which attested by people, which not covered, by the results that name them. Pure.

A clause is *proven* when a result that names it passes and none that names it fails or is open; *attested* when the
same holds but some of those results rest on what a person signed and no command decided (check H1); else *not covered*.
A waived FAIL covers nothing. No state says that a law is complied with: that is for people who read it to judge.

>>> clause_states([])
()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from mintage.certify.check import CheckResult

__all__ = ["BY_PEOPLE", "ClauseState", "State", "clause_states"]

State = Literal["proven", "attested", "not covered"]
BY_PEOPLE = frozenset(["H1"])
"""Checks whose PASS is the word of a person."""


class ClauseState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One clause as a policy names it, its state, and the requirements that name it."""

    control: str
    state: State
    requirements: tuple[str, ...]


def clause_states(results: Iterable[CheckResult]) -> tuple[ClauseState, ...]:
    """The state of each clause that a result names, sorted."""
    named: dict[str, list[CheckResult]] = {}
    for result in results:
        for control in dict.fromkeys(result.controls):
            named.setdefault(control, []).append(result)
    return tuple(
        ClauseState(
            control=control, state=_state(found), requirements=tuple(sorted(item.requirement for item in found))
        )
        for control, found in sorted(named.items())
    )


def _state(found: list[CheckResult]) -> State:
    verdicts = {item.verdict for item in found}
    if "PASS" not in verdicts or verdicts & {"FAIL", "INCONCLUSIVE"}:
        return "not covered"
    return "attested" if any(item.check in BY_PEOPLE and item.verdict == "PASS" for item in found) else "proven"
