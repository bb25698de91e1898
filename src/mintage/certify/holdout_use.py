"""How often a hold-out was judged on, and when that is too often for a verdict to mean what it says. Pure.

Each look tells something of the hold-out; who moves a model from look to look fits it to those rows, and no interval
knows. So the certificate has the count: of distinct models and of looks, out of the audit log, under the checkpoint
that it names. A sealed hold-out counts its openings instead, and pays for each: see ``certify.sealed``.

>>> use = HoldoutUse(digest="b3:00", models=4, looks=9)
>>> use_sentence(use)
'the 4th model judged on this hold-out, in 9 looks'
>>> why_blocked(HoldoutRules(max_models=3), use)
'it is the 4th model judged on this hold-out, and the policy lets 3 be; certify on rows that no model was judged on'
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.audit.events import AuditEvent

__all__ = ["HoldoutRules", "HoldoutUse", "LogMark", "SealedUse", "count_uses", "ordinal", "use_sentence", "why_blocked"]

_Count = Annotated[int, Meta(ge=1)]


class HoldoutRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a policy demands of its hold-out: how many distinct models may be judged on it before a verdict that would
    pass is INCONCLUSIVE (None: any number), and whether it must be sealed."""

    max_models: _Count | None = None
    sealed: bool = False


class LogMark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A checkpoint of an audit log: the log's public key in one line, and the signed note."""

    key: str
    note: str


class SealedUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One opening of a sealed hold-out: the SHA-256 of its seal, the number of the opening, of how many, the name of
    the holder, and the SHA-256 of what was committed before."""

    seal: str
    number: _Count
    budget: _Count
    holder: str
    committed: str

    def __post_init__(self) -> None:
        if self.number > self.budget:
            raise ValueError(f"opening {self.number} of {self.budget}")


class HoldoutUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a hold-out's use, the present look among it. ``rules`` are the policy's, ``log`` the checkpoint
    under which the look was entered; ``sealed`` None says that whoever made the model could read the labels."""

    digest: str
    models: _Count
    looks: _Count
    rules: HoldoutRules = HoldoutRules()
    log: LogMark | None = None
    sealed: SealedUse | None = None

    @property
    def budget(self) -> int:
        """Among how many looks the policy's confidence is shared: 1 where the hold-out is not sealed."""
        return 1 if self.sealed is None else self.sealed.budget


def count_uses(events: Iterable[AuditEvent], digest: str) -> tuple[int, int, str]:
    """How many models were judged on the hold-out with that digest, in how many looks, and when the first was."""
    looks = [item for item in events if item.action == "holdout.open" and item.details.get("holdout") == digest]
    return len({str(look.details.get("root")) for look in looks}), len(looks), looks[0].at


def use_sentence(use: HoldoutUse) -> str:
    """How often the hold-out was judged on, in a few words."""
    if use.sealed is not None:
        return f"opening {use.sealed.number} of {use.sealed.budget} of the hold-out that {use.sealed.holder} holds"
    looks = "in 1 look" if use.looks == 1 else f"in {use.looks} looks"
    return f"the {ordinal(use.models)} model judged on this hold-out, {looks}"


def why_blocked(rules: HoldoutRules, use: HoldoutUse | None) -> str | None:
    """Why a verdict that would pass does not count; None if it does."""
    if rules.sealed and (use is None or use.sealed is None):
        return "the policy asks for a sealed hold-out, and whoever made the model could read the labels of this one"
    if rules.max_models is None:
        return None
    if use is None:
        return "it is not known how many models were judged on this hold-out, and the policy limits them"
    if use.models > rules.max_models:
        return (
            f"it is the {ordinal(use.models)} model judged on this hold-out, and the policy lets {rules.max_models} "
            "be; certify on rows that no model was judged on"
        )
    return None


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``.

    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '102nd', '111th']
    """
    last = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"
