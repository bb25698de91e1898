"""Whether the policy was written before the evidence: proven, not proven, or violated.

Git ancestry alone proves nothing to a third party: commits can be made late with an early date. Proof takes a witness:
the policy's digest in an audit log under a checkpoint that the model's author does not control, dated before the first
look at the hold-out. Ancestry can show the opposite: a policy changed after the commit that the model comes from.

>>> order_state(OrderFacts(policy_commit="4a", evidence_commit="77", policy_is_ancestor=True, policy_unchanged=True))
'not proven'
>>> order_state(OrderFacts(policy_commit="77", evidence_commit="4a", policy_is_ancestor=False))
'violated'
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

__all__ = ["OrderFacts", "OrderState", "order_reason", "order_state"]

OrderState = Literal["proven", "not proven", "violated"]


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the order; None is "not known".

    ``policy_commit`` last changed the policy, ``evidence_commit`` is what the model was trained from;
    ``policy_is_ancestor`` says that the first is the second or an ancestor of it, ``policy_unchanged`` that the bytes
    of the policy at ``evidence_commit`` are those judged by. ``witness`` names who holds the checkpoint (never the
    author), ``witnessed_at`` its time, ``first_look_at`` when the hold-out was first opened (RFC 3339).
    ``history_kept`` says that the commit which the witness saw is still there, behind HEAD.
    """

    policy_commit: str | None = None
    evidence_commit: str | None = None
    policy_is_ancestor: bool | None = None
    policy_unchanged: bool | None = None
    witness: str | None = None
    witnessed_at: str | None = None
    first_look_at: str | None = None
    history_kept: bool | None = None


def order_state(facts: OrderFacts) -> OrderState:
    """The state that the facts allow to claim."""
    if False in (facts.policy_is_ancestor, facts.policy_unchanged, facts.history_kept) or _is_late(facts) is True:
        return "violated"
    if facts.policy_is_ancestor and facts.policy_unchanged and facts.witness and _is_late(facts) is False:
        return "proven"
    return "not proven"


def order_reason(facts: OrderFacts) -> str:
    """One sentence that says why the state is what it is."""
    if facts.history_kept is False:
        return f"Git's history was rewritten: it is not the one in which {facts.witness} witnessed the policy"
    if facts.policy_unchanged is False:
        return "the policy was changed after the commit that the model was trained from"
    if facts.policy_is_ancestor is False:
        return "the policy's commit is not an ancestor of the commit that the model was trained from"
    if _is_late(facts) is True:
        return f"the policy was witnessed at {facts.witnessed_at}, after the first look at the hold-out"
    if order_state(facts) == "proven":
        return f"{facts.witness} witnessed the policy at {facts.witnessed_at}, before the first look at the hold-out"
    if facts.policy_commit is None:
        return "order not proven: the policy is in no commit"
    if facts.policy_is_ancestor is None or facts.policy_unchanged is None:
        return "order not proven: the commit that the model was trained from is not known, or not in this clone"
    return "order not proven: Git says that the policy is older than the model, and nobody else witnessed it"


def _is_late(facts: OrderFacts) -> bool | None:
    if facts.witnessed_at is None or facts.first_look_at is None:
        return None
    return datetime.fromisoformat(facts.witnessed_at) > datetime.fromisoformat(facts.first_look_at)
