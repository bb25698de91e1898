"""What a tier asks of a model: a pull request the requirements of that tier, a release all of them. Pure.

A requirement with ``tier: release`` is one that takes too long for each pull request. What a tier does not ask for is
told by name. The comparisons that are corrected for are those of the whole policy in either tier, so that a requirement
has the same interval and verdict in both.
"""

from __future__ import annotations

from mintage.certify.check import Requirement, Tier
from mintage.certify.policy import Policy
from mintage.errors import PolicyUnfitError

__all__ = ["asked_in", "check_tier", "left_out"]


def asked_in(policy: Policy, tier: Tier) -> tuple[Requirement, ...]:
    """The requirements of the policy that ``tier`` asks for, in their order."""
    return tuple(each for each in policy.requirements if tier in ("release", each.tier))


def left_out(policy: Policy, tier: Tier) -> tuple[str, ...]:
    """The ids of those that it does not ask for."""
    asked = {each.id for each in asked_in(policy, tier)}
    return tuple(each.id for each in policy.requirements if each.id not in asked)


def check_tier(policy: Policy, tier: Tier) -> None:
    """Raise PolicyUnfitError where the tier has no requirement of severity must: it would say nothing."""
    if not any(each.severity == "must" for each in asked_in(policy, tier)):
        raise PolicyUnfitError(
            f"the policy of {policy.model} asks for nothing in the tier {tier}",
            expected="a requirement of severity must without `tier: release`",
            where=policy.where,
            hint="certify the whole: `--tier release`; or take `tier: release` from what a pull request must show",
        )
