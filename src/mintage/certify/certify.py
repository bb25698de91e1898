"""Judge the evidence for one model by its policy.

``certify`` runs each requirement's check and joins the verdicts; a check that breaks off or takes too long leaves its
requirement INCONCLUSIVE. It reads no files; only the latency probe measures, last and alone. For one seed everything
but what is measured is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mintage.certify.check import Check, CheckResult, Requirement, Resampling
from mintage.certify.evidence import Evidence
from mintage.certify.finding import AnsweredFinding
from mintage.certify.guard import run_guarded
from mintage.certify.holdout_use import HoldoutUse, why_blocked
from mintage.certify.judge import Judged, Verdict, overall
from mintage.certify.latency import LatencyRun
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy, Statistics, check_domain, check_model, check_task
from mintage.certify.registry import find_checks
from mintage.certify.sentence import write_sentence
from mintage.certify.waive import AppliedWaiver, Presented, Unheld, apply_waivers

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
    times, which ``latency`` holds. ``waivers`` hold for results that stay FAIL, ``unheld`` do not. ``use`` is how often
    the hold-out was judged on."""

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
    waivers: tuple[AppliedWaiver, ...] = ()
    unheld: tuple[Unheld, ...] = ()
    findings: tuple[AnsweredFinding, ...] = ()
    use: HoldoutUse | None = None


def certify(
    evidence: Evidence,
    policy: Policy,
    *,
    checks: Mapping[str, Check[Any]] | None = None,
    waivers: Sequence[Presented] = (),
    use: HoldoutUse | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
) -> Outcome:
    """Run the policy's checks on ``evidence``; a FAIL that one of ``waivers`` lets stand does not block.

    A hold-out that more models were judged on than the policy lets be (``use``) passes nothing; an opening of a sealed
    one takes its share of the policy's confidence. ``on_result`` is called after each check, so that a face can show
    progress. Raises PolicyForAnotherModelError and DomainMismatchError before any check runs.
    """
    _check_fit(evidence, policy)
    known = find_checks() if checks is None else checks
    needed = {requirement.check: known[requirement.check] for requirement in policy.requirements}
    comparisons = sum(_samples(requirement, needed[requirement.check]) for requirement in policy.requirements)
    statistics = policy.statistics.shared_by(1 if use is None else use.budget)
    session = _Session(evidence, policy, statistics, needed)
    results, resampling = _judge_all(session, comparisons=comparisons, on_result=on_result)
    ordered = tuple(results[requirement.id] for requirement in policy.requirements)
    measured = frozenset(item.id for item in policy.requirements if needed[item.check].measured)
    applied, unheld = apply_waivers(waivers, ordered, measured=measured)
    waived = {waiver.requirement: str(waiver.expires) for waiver in applied}
    verdict = overall(
        (Judged(severity=each.severity, verdict=each.verdict, waived=each.requirement in waived) for each in ordered),
        inconclusive=statistics.inconclusive,
    )
    blocked = why_blocked(policy.holdout, use) if verdict == "PASS" else None
    splits = (evidence.train, evidence.holdout)
    return Outcome(
        model=evidence.model,
        root=evidence.root,
        domain=evidence.domain,
        policy=policy,
        verdict=verdict if blocked is None else "INCONCLUSIVE",
        sentence=write_sentence(
            evidence.model, verdict, ordered, builtin=policy.builtin, waived=waived, blocked=blocked
        ),
        results=ordered,
        measured=measured,
        comparisons=comparisons,
        confidence_each=resampling.confidence,
        data=tuple(
            DataFacts(name=split.name, digest=split.digest, rows=split.rows, groups=split.group_count)
            for split in splits
        ),
        champion=None if evidence.champion is None else evidence.champion.root,
        order=evidence.order,
        latency=session.latency,
        waivers=applied,
        unheld=unheld,
        findings=evidence.findings,
        use=use,
    )


def _check_fit(evidence: Evidence, policy: Policy) -> None:
    check_model(policy, evidence.model)
    check_domain(policy, evidence.domain)
    check_task(policy, evidence.task)


class _Session:
    """One model before its policy: the checks run at any confidence, calls are timed once."""

    def __init__(
        self, evidence: Evidence, policy: Policy, statistics: Statistics, needed: Mapping[str, Check[Any]]
    ) -> None:
        self.evidence, self.policy, self.statistics, self.needed = evidence, policy, statistics, needed
        self.latency: LatencyRun | None = None
        self.lost: dict[str, CheckResult] = {}
        """What a check did not give; it is not asked again."""

    def run(self, resampling: Resampling, on_result: Callable[[CheckResult], None] | None) -> dict[str, CheckResult]:
        """The result of each requirement by its id."""
        results: dict[str, CheckResult] = {}
        # time is measured last: what runs before it must not compete with it
        for requirement in sorted(self.policy.requirements, key=lambda item: self.needed[item.check].measured):
            check, evidence = self.needed[requirement.check], self.evidence
            if hasattr(requirement, "calls") and self.latency is None and evidence.latency is not None:
                self.latency = evidence.latency.measure(calls=_calls(self.policy))
            latency = self.latency if check.measured else None
            result = self.lost.get(requirement.id)
            if result is None:
                result, given = run_guarded(
                    check,
                    evidence,
                    requirement,
                    resampling=resampling,
                    latency=latency,
                    limit_s=self.policy.check_limit_s,
                )
                if not given:
                    self.lost[requirement.id] = result
            results[requirement.id] = result
            if on_result is not None:
                on_result(result)
        return results


def _judge_all(
    session: _Session, *, comparisons: int, on_result: Callable[[CheckResult], None] | None
) -> tuple[dict[str, CheckResult], Resampling]:
    """The results, and the confidence of their intervals.

    With Benjamini and Hochberg's correction the intervals are the narrowest that let as many comparisons be decided as
    they were made for: at 1 - k q / m for k of m (Benjamini and Yekutieli 2005, "False Discovery Rate-Adjusted Multiple
    Confidence Intervals for Selected Parameters").
    """
    statistics = session.statistics
    if statistics.false_share is None:
        resampling = statistics.resampling(comparisons=comparisons)
        return session.run(resampling, on_result), resampling
    for decided in range(max(comparisons, 1), 0, -1):
        resampling = statistics.resampling(comparisons=comparisons, decided=decided)
        results = session.run(resampling, None)
        sampled = [item for item in session.policy.requirements if _samples(item, session.needed[item.check])]
        if sum(results[item.id].verdict in ("PASS", "FAIL") for item in sampled) >= decided:
            break
    for result in results.values():
        if on_result is not None:
            on_result(result)
    return results, resampling


def _samples(requirement: Requirement, check: Check[Any]) -> bool:
    """Whether its number comes from a sample; a requirement that knows better than its check says so."""
    return bool(getattr(requirement, "samples", check.samples))


def _calls(policy: Policy) -> int:
    return max(getattr(requirement, "calls", 0) for requirement in policy.requirements)
