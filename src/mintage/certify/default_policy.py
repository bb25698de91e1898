"""The policy of a model that has none: short, the same for the same facts, and recorded like a file's.

It is written as the text of a policy file and read back as one. Its digest is the SHA-256 of that text, so a
certificate names it exactly; ``Policy.builtin`` says which version's default it is. Git does not have it, so it
can never be shown to be older than the evidence, and no release rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mintage.certify.policy import Policy, parse_policy
from mintage.certify.policy_text import render_policy
from mintage.certify.suggest import PolicyFacts, suggest_requirements
from mintage.repo.modelfile import ModelSpec, domain_digest

__all__ = ["default_policy", "policy_facts"]


def default_policy(spec: ModelSpec, facts: PolicyFacts, *, version: str) -> tuple[Policy, bytes]:
    """The built-in default of Mintage ``version`` for a model, and its text."""
    name = f"mintage {version}"
    text = render_policy(
        model=spec.model,
        owner=f"{name} (built-in default, no person)",
        domain=domain_digest(spec),
        requirements=suggest_requirements(facts),
        head=[f"The built-in default policy of {name} for {spec.model}."],
    ).encode()
    policy = parse_policy(text, where=f"the built-in default policy of {name}")
    return msgspec.structs.replace(policy, builtin=name), text


def policy_facts(
    spec: ModelSpec, *, shares: Sequence[float] | None, in_float32: bool, can_serve: bool, has_baselines: bool
) -> PolicyFacts:
    """The facts of a model file and of what is known beside it; ``shares`` are those of a classifier's classes."""
    return PolicyFacts(
        task=spec.task,
        classes=2 if shares is None else len(shares),
        grouped=spec.group_key is not None,
        repeatable=all(column.type != "float" for column in spec.inputs.values()),
        rarer_share=None if shares is None else min(shares),
        in_float32=in_float32,
        can_serve=can_serve,
        has_baselines=has_baselines,
    )
