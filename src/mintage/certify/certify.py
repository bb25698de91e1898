"""Judge the evidence for one model by its policy.

``certify`` runs each requirement's check and joins the verdicts. It reads no files and no clock; only the latency probe
measures, last and alone. For one seed everything but what is measured is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mintage.certify.check import Check, CheckResult
from mintage.certify.evidence import Evidence
from mintage.certify.judge import Judged, Verdict, overall
from mintage.certify.latency import LatencyRun
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy, check_domain
from mintage.certify.registry import find_checks
from mintage.certify.sentence import write_sentence
from mintage.errors import PolicyForAnotherModelError

__all__ = ["DataFacts", "Outcome", "certify"]


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What is told of one split: its name, digest, rows and groups."""

    name: str
    digest: str | None
    rows: int
    groups: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The verdict on one model. ``results`` are in the policy's order; ``measured`` names those that rest on wall
    times, which ``latency`` holds."""

    model: str
    root: str
    domain: str
    policy: Policy
    verdict: Verdict
    sentence: str
    results: tuple[CheckResult, ...]
    measured: frozenset[str]
    comparisons: int
    confidence_each: float
    data: tuple[DataFacts, ...]
    champion: str | None
    order: OrderFacts
    latency: LatencyRun | None


def certify(
    evidence: Evidence,
    policy: Policy,
    *,
    checks: Mapping[str, Check[Any]] | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
) -> Outcome:
    """Run the policy's checks on ``evidence``.

    ``on_result`` is called after each check, so that a face can show progress. Raises PolicyForAnotherModelError and
    DomainMismatchError before any check runs.
    """
    _check_fit(evidence, policy)
    known = find_checks() if checks is None else checks
    needed = {requirement.check: known[requirement.check] for requirement in policy.requirements}
    comparisons = sum(needed[requirement.check].samples for requirement in policy.requirements)
    resampling = policy.statistics.resampling(comparisons=comparisons)
    results: dict[str, CheckResult] = {}
    latency: LatencyRun | None = None
    # time is measured last: what runs before it must not compete with it
    for requirement in sorted(policy.requirements, key=lambda item: needed[item.check].measured):
        check = needed[requirement.check]
        if check.measured and latency is None and evidence.latency is not None:
            latency = evidence.latency.measure(calls=_calls(policy))
        result = check.run(evidence, requirement, resampling=resampling, latency=latency if check.measured else None)
        results[requirement.id] = result
        if on_result is not None:
            on_result(result)
    ordered = tuple(results[requirement.id] for requirement in policy.requirements)
    verdict = overall(
        (Judged(severity=result.severity, verdict=result.verdict) for result in ordered),
        inconclusive=policy.statistics.inconclusive,
    )
    splits = (evidence.train, evidence.holdout)
    return Outcome(
        model=evidence.model,
        root=evidence.root,
        domain=evidence.domain,
        policy=policy,
        verdict=verdict,
        sentence=write_sentence(evidence.model, verdict, ordered, builtin=policy.builtin),
        results=ordered,
        measured=frozenset(item.id for item in policy.requirements if needed[item.check].measured),
        comparisons=comparisons,
        confidence_each=resampling.confidence,
        data=tuple(
            DataFacts(name=split.name, digest=split.digest, rows=split.rows, groups=split.group_count)
            for split in splits
        ),
        champion=None if evidence.champion is None else evidence.champion.root,
        order=evidence.order,
        latency=latency,
    )


def _check_fit(evidence: Evidence, policy: Policy) -> None:
    if evidence.model != policy.model:
        raise PolicyForAnotherModelError(
            "the policy is for another model",
            expected=evidence.model,
            found=policy.model,
            where=policy.where,
            hint="certify with the policy that names this model",
        )
    check_domain(policy, evidence.domain)


def _calls(policy: Policy) -> int:
    return max(getattr(requirement, "calls", 0) for requirement in policy.requirements)
