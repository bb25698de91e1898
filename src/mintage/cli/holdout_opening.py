"""The opening of a hold-out: entered in the audit log before it happens, after the policy and its checkpoint."""

from __future__ import annotations

from mintage.certify.gather import output_item
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy
from mintage.cli.context import Context
from mintage.database.connection import transaction
from mintage.repo.modelfile import ModelSpec

__all__ = ["enter_opening", "find_order"]


def find_order(context: Context, policy: Policy, model: str, evidence_commit: str) -> OrderFacts:
    """What Git says of policy and training, of a built-in default nothing; who else witnessed the policy is nobody."""
    git, path = context.workspace.git, f"policies/{model}.yaml"
    commits = git.log(path, limit=1) if policy.builtin is None else []
    if not commits or not git.has_commit(evidence_commit):
        return OrderFacts(policy_commit=commits[0].id if commits else None, evidence_commit=evidence_commit)
    data = (context.workspace.root / path).read_bytes()
    return OrderFacts(
        policy_commit=commits[0].id,
        evidence_commit=evidence_commit,
        policy_is_ancestor=git.is_ancestor(commits[0].id, evidence_commit),
        policy_unchanged=git.show(evidence_commit, path) == data,
    )


def enter_opening(context: Context, spec: ModelSpec, policy: Policy, root: str, *, holdout: str) -> str:
    """Enter the policy, under a checkpoint, and then the opening of the hold-out; returns when it was first opened."""
    opened = output_item(context.workspace, holdout).digest
    with transaction(context.connection):
        context.record_access("policy.declare", spec.model, {"policy": policy.digest, "root": root})
    context.checkpoint()
    with transaction(context.connection):
        details = {"holdout": opened, "policy": policy.digest, "root": root}
        context.record_access("holdout.open", spec.model, details)
    looks = (
        event.at
        for _, event in context.audit_log.events()
        if event.action == "holdout.open" and event.details.get("holdout") == opened
    )
    return next(looks)
