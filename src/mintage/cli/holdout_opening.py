"""The opening of a hold-out: entered in the audit log before it happens, after the policy and its checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mintage.certify.gather import output_item
from mintage.certify.holdout_use import HoldoutUse, LogMark, count_uses
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy
from mintage.certify.witnessed import Witnessed, check_history, read_witnessed
from mintage.cli.context import Context
from mintage.database.connection import transaction
from mintage.errors import HoldoutHistoryError
from mintage.repo.modelfile import ModelSpec

__all__ = ["Look", "enter_opening", "find_order"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """A look at a hold-out that stands in the audit log: when the first was, and how often the hold-out was used. Of a
    sealed one also who saw the policy when, and what gives the table its labels."""

    first_at: str
    use: HoldoutUse
    witness: str | None = None
    witnessed_at: str | None = None
    unsealed: Callable[[Any], Any] | None = None


def find_order(context: Context, policy: Policy, model: str, evidence_commit: str) -> OrderFacts:
    """What Git says of policy and training, and who else saw the policy; of a built-in default nothing."""
    git, path = context.workspace.git, f"policies/{model}.yaml"
    commits = git.log(path, limit=1) if policy.builtin is None else []
    if not commits or not git.has_commit(evidence_commit):
        return OrderFacts(policy_commit=commits[0].id if commits else None, evidence_commit=evidence_commit)
    data = (context.workspace.root / path).read_bytes()
    word = _witnessed(context, policy, model)
    return OrderFacts(
        policy_commit=commits[0].id,
        evidence_commit=evidence_commit,
        policy_is_ancestor=git.is_ancestor(commits[0].id, evidence_commit),
        policy_unchanged=git.show(evidence_commit, path) == data,
        witness=None if word is None else word.by,
        witnessed_at=None if word is None else word.at,
        history_kept=None if word is None else _is_kept(context, word, model),
    )


def enter_opening(context: Context, spec: ModelSpec, policy: Policy, root: str, *, holdout: str) -> Look:
    """Enter the policy, under a checkpoint, and then the opening of the hold-out, under another."""
    opened = output_item(context.workspace, holdout).digest
    with transaction(context.connection):
        context.record_access("policy.declare", spec.model, {"policy": policy.digest, "root": root})
    context.checkpoint()
    with transaction(context.connection):
        details = {"holdout": opened, "policy": policy.digest, "root": root}
        context.record_access("holdout.open", spec.model, details)
    mark = LogMark(key=context.audit_log.key.vkey, note=context.checkpoint())
    models, looks, first_at = count_uses((event for _, event in context.audit_log.events()), opened)
    use = HoldoutUse(digest=opened, models=models, looks=looks, rules=policy.holdout, log=mark)
    return Look(first_at=first_at, use=use)


def _witnessed(context: Context, policy: Policy, model: str) -> Witnessed | None:
    """The earliest word on this very policy."""
    words = read_witnessed(context.workspace.root, model, context.trust)
    return min((word for word in words if word.policy == policy.digest), key=lambda word: word.at, default=None)


def _is_kept(context: Context, word: Witnessed, model: str) -> bool:
    try:
        check_history(context.workspace.git, word, model)
    except HoldoutHistoryError:
        return False
    return True
