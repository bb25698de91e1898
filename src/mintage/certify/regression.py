"""Ask for the findings of people even where a policy does not: what was found once is checked for ever. Pure."""

from __future__ import annotations

import msgspec

from mintage.certify.check import Requirement
from mintage.certify.policy import Policy

__all__ = ["with_findings"]

_CHECK = "B5"


def with_findings(policy: Policy, *, found: bool) -> Policy:
    """The policy, with the requirement ``findings`` of severity must if there are any and it names B5 nowhere.

    Its digest stays that of its file.
    """
    if not found or any(requirement.check == _CHECK for requirement in policy.requirements):
        return policy
    taken = {requirement.id for requirement in policy.requirements}
    name = next(
        name for name in ("findings", *(f"findings.{number}" for number in range(1, 1000))) if name not in taken
    )
    added = Requirement(id=name, check=_CHECK, about="what people found is checked for ever")
    return msgspec.structs.replace(policy, requirements=(*policy.requirements, added))
