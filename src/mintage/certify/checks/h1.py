"""H1, what no command can decide: a person attests it, signed, with a document.

Without a statement it is INCONCLUSIVE; one that does not count (another key, a changed document, past its last day) is
a FAIL. A PASS is the word of a person: clauses that it serves are attested, not proven.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.certify.check import CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.latency import LatencyRun
from mintage.certify.measure import without_number

__all__ = ["CHECK", "AttestedByPeople", "AttestedRequirement"]


class AttestedRequirement(Requirement, frozen=True, kw_only=True):
    """``asks``: what a person has to attest, one sentence."""

    asks: Annotated[str, Meta(pattern=r"\S", max_length=500)]


class AttestedByPeople:
    """The check."""

    id = "H1"
    version = 0
    title = "attested by a person"
    samples = False
    measured = False
    requirement_type = AttestedRequirement

    def run(
        self,
        evidence: Evidence,
        requirement: AttestedRequirement,
        *,
        resampling: Resampling,
        latency: LatencyRun | None,
    ) -> CheckResult:
        """Say who attests what is asked, or why nobody does."""
        found = evidence.attested.get(requirement.id)
        if found is None:
            reason = f"nobody has attested it: {requirement.asks} (`mintage attest` signs a statement)"
            return without_number(self, requirement, verdict="INCONCLUSIVE", reason=reason)
        if found.fault is not None:
            return without_number(
                self, requirement, verdict="FAIL", reason=f"the statement does not count: {found.fault}"
            )
        reason = f"{found.by} attests on {found.at[:10]}, with {found.document}: {found.says}"
        result = without_number(self, requirement, verdict="PASS", reason=reason)
        return msgspec.structs.replace(
            result,
            details={
                "by": found.by,
                "at": found.at,
                "expires": found.expires,
                "document": found.document,
                "digest": found.digest,
            },
        )


CHECK = AttestedByPeople()
