"""Decide whether a waiver holds for a failed result. Pure: what Git says, and the time, come in as facts.

It holds when the result is exactly the one that was waived and not a measured one, it blocks, the waiver's lines are
committed by its approver, who is not the author of the model's commit, the model's commit is the approved one or comes
after it, and today is not past its last day, which is at most 90 days after the approval.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from mintage.certify.check import CheckResult
from mintage.certify.last_day import ends_at
from mintage.certify.waiver import MAX_DAYS, Waiver, result_digest

__all__ = ["AppliedWaiver", "Presented", "Unheld", "apply_waivers", "too_long", "why_not_approved"]


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver and what is known of it. ``committed`` says that the work tree has it as HEAD has; ``approvals`` are the
    commits that wrote its lines, each with its author's address and date, newest first; ``author`` is that of the
    model's commit, None if not known; ``covers`` says that this commit is the approved one or comes after it."""

    waiver: Waiver
    committed: bool
    approvals: tuple[tuple[str, str, str], ...]
    author: str | None
    covers: bool
    now: str


class AppliedWaiver(Waiver, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A waiver that holds, as a certificate has it: with the commit that approved it, when (RFC 3339), and the author
    of the model's commit."""

    approval: str
    approved_at: str
    author: str


class Unheld(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver that does not hold, and why."""

    waiver: Waiver
    reason: str


def apply_waivers(
    presented: Sequence[Presented], results: Sequence[CheckResult], *, measured: frozenset[str]
) -> tuple[tuple[AppliedWaiver, ...], tuple[Unheld, ...]]:
    """The waivers that hold for ``results``, and those that do not; ``measured`` names results on wall times."""
    found = {result.requirement: result for result in results}
    holding, others = [], []
    for item in presented:
        reason = _why_not_bound(item.waiver, found.get(item.waiver.requirement), measured) or why_not_approved(item)
        if reason is None:
            commit, _, when = item.approvals[0]
            said = msgspec.structs.asdict(item.waiver)
            holding.append(AppliedWaiver(**said, approval=commit, approved_at=when, author=str(item.author)))
        else:
            others.append(Unheld(waiver=item.waiver, reason=reason))
    return tuple(sorted(holding, key=lambda one: one.requirement)), tuple(others)


def _why_not_bound(waiver: Waiver, result: CheckResult | None, measured: frozenset[str]) -> str | None:
    if result is None:
        return "the policy has no such requirement"
    if result.verdict != "FAIL" or result.severity != "must":
        return f"there is nothing to waive: {result.severity}, {result.verdict}"
    if result.requirement in measured:
        return "it rests on wall times, which differ each time: change the limit in the policy instead"
    if result_digest(result) != waiver.result:
        return "it was given for another result: a new result needs a new waiver"
    return None


def why_not_approved(item: Presented) -> str | None:
    """Why the approval does not count, whatever the result is; None if it does."""
    waiver = item.waiver
    if not item.committed or not item.approvals:
        return "it is not committed as it stands"
    strangers = {mail for _, mail, _ in item.approvals if mail.casefold() != waiver.approver.casefold()}
    if strangers:
        return f"its lines were committed by {', '.join(sorted(strangers))}, not by its approver {waiver.approver}"
    if item.author is None:
        return "it is not known who is the author of the model's commit"
    if item.author.casefold() == waiver.approver.casefold():
        return f"its approver {waiver.approver} is the author of the model's commit"
    if not item.covers:
        return f"it was approved for commit {waiver.approved_commit[:10]}, from which the model's does not come"
    if too_long(waiver.expires, item.approvals[0][2]):
        return f"it runs longer than {MAX_DAYS} days from its approval on {item.approvals[0][2][:10]}"
    if item.now >= ends_at(waiver.expires):
        return f"it expired on {waiver.expires}"
    return None


def too_long(expires: date, approved_at: str) -> bool:
    """Whether a waiver runs longer than it may."""
    return expires > datetime.fromisoformat(approved_at).date() + timedelta(days=MAX_DAYS)
