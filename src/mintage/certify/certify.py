"""Judge the evidence for one model by its policy.

``certify`` runs the check of each requirement that the tier asks for and joins the verdicts; a check that breaks off or
takes too long leaves its requirement INCONCLUSIVE. It reads no files but results that were kept; only the latency probe
measures, last and alone. For one seed everything but what is measured is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mintage.certify.check import Check, CheckResult, Requirement, Resampling, Tier
from mintage.certify.evidence import Evidence
from mintage.certify.finding import AnsweredFinding, without_row
from mintage.certify.guard import run_guarded
from mintage.certify.holdout_use import HoldoutUse, why_blocked
from mintage.certify.judge import Judged, Verdict, overall
from mintage.certify.kept_results import KeptResults
from mintage.certify.latency import LatencyRun
from mintage.certify.noted import Parts, noting
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy, Statistics, check_domain, check_model, check_task
from mintage.certify.registry import find_checks
from mintage.certify.sentence import write_sentence
from mintage.certify.shown import Shown, shown_examples, with_shown
from mintage.certify.tier import asked_in, check_tier, left_out
from mintage.certify.waive import AppliedWaiver, Presented, Unheld, apply_waivers

__all__ = ["DataFacts", "Outcome", "Progress", "certify"]


class Progress(Protocol):
    """Who shows how far it is."""

    def started(self, requirement: Requirement) -> None:
        """Its check runs now; with a stepped correction it may run several times."""
        ...

    def ended(self, result: CheckResult, *, kept: bool) -> None:
        """A requirement is judged; ``kept`` says that the result of before was taken."""
        ...


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
    times, which ``latency`` holds; ``kept`` those whose result of before still holds; ``not_asked`` what ``tier``
    leaves out. ``waivers`` hold for results that stay FAIL, ``unheld`` do not. ``use`` is how often
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
    tier: Tier = "release"
    not_asked: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()
    use: HoldoutUse | None = None


def certify(
    evidence: Evidence,
    policy: Policy,
    *,
    checks: Mapping[str, Check[Any]] | None = None,
    waivers: Sequence[Presented] = (),
    use: HoldoutUse | None = None,
    tier: Tier = "release",
    keep: KeptResults | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Run the checks that ``tier`` asks for on ``evidence``; a FAIL that one of ``waivers`` lets stand does not block.

    A hold-out that more models were judged on than the policy lets be (``use``) passes nothing; an opening of a sealed
    one takes its share of the policy's confidence. Results are taken from ``keep`` where nothing has changed, and put
    there as they come. Raises PolicyForAnotherModelError, DomainMismatchError and PolicyUnfitError before any check.
    """
    _check_fit(evidence, policy)
    check_tier(policy, tier)
    known = find_checks() if checks is None else checks
    needed = {requirement.check: known[requirement.check] for requirement in policy.requirements}
    comparisons = sum(_samples(requirement, needed[requirement.check]) for requirement in policy.requirements)
    asked, not_asked = asked_in(policy, tier), left_out(policy, tier)
    statistics = policy.statistics.shared_by(1 if use is None else use.budget)
    shown = shown_examples(examples=policy.examples, use=use)
    session = _Session(evidence, policy, asked, statistics=statistics, needed=needed, keep=keep, shown=shown)
    results, resampling = _judge_all(session, comparisons=comparisons, progress=progress)
    ordered = tuple(results[requirement.id] for requirement in asked)
    measured = frozenset(item.id for item in asked if needed[item.check].measured)
    concerned = [item for item in waivers if item.waiver.requirement not in not_asked]
    applied, unheld = apply_waivers(concerned, ordered, measured=measured)
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
            evidence.model,
            verdict,
            ordered,
            builtin=policy.builtin,
            waived=waived,
            tier=tier,
            not_asked=len(not_asked),
            blocked=blocked,
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
        findings=tuple(without_row(item) for item in evidence.findings),
        tier=tier,
        not_asked=not_asked,
        kept=frozenset(session.kept),
        use=use,
    )


def _check_fit(evidence: Evidence, policy: Policy) -> None:
    check_model(policy, evidence.model)
    check_domain(policy, evidence.domain)
    check_task(policy, evidence.task)


class _Session:
    """One model before its policy: the checks run at any confidence, calls are timed once."""

    def __init__(
        self,
        evidence: Evidence,
        policy: Policy,
        asked: Sequence[Requirement],
        *,
        statistics: Statistics,
        needed: Mapping[str, Check[Any]],
        keep: KeptResults | None,
        shown: Shown,
    ) -> None:
        self.evidence, self.policy, self.asked = evidence, policy, asked
        self.statistics, self.needed = statistics, needed
        self.keep, self.shown, self.parts = keep, shown, Parts(evidence)
        self.latency: LatencyRun | None = None
        self.lost: dict[str, CheckResult] = {}
        """What a check did not give; it is not asked again."""
        self.kept: set[str] = set()
        """Whose result, in the last round, is one of before."""

    def run(self, resampling: Resampling, progress: Progress | None) -> dict[str, CheckResult]:
        """The result of each requirement by its id."""
        results: dict[str, CheckResult] = {}
        # time is measured last: what runs before it must not compete with it
        for requirement in sorted(self.asked, key=lambda item: self.needed[item.check].measured):
            if progress is not None:
                progress.started(requirement)
            results[requirement.id] = self._judge(requirement, resampling)
            if progress is not None:
                progress.ended(results[requirement.id], kept=requirement.id in self.kept)
        return results

    def _judge(self, requirement: Requirement, resampling: Resampling) -> CheckResult:
        """What is known of before, else what the check finds."""
        check = self.needed[requirement.check]
        self.kept.discard(requirement.id)
        if requirement.id in self.lost:
            return self.lost[requirement.id]
        key = None
        if self.keep is not None:
            root = self.evidence.root
            key = self.keep.key(check, requirement, resampling=resampling, root=root, shown=self.shown)
            known = None if key is None else self.keep.find(key, self.parts)
            if known is not None:
                self.kept.add(requirement.id)
                return known
        seen: set[str] = set()
        result, given = run_guarded(
            check,
            noting(self.evidence, seen),
            requirement,
            resampling=resampling,
            latency=self._latency(check, requirement),
            limit_s=self.policy.check_limit_s,
        )
        result = with_shown(result, self.shown)
        if not given:
            self.lost[requirement.id] = result
        elif self.keep is not None and key is not None:
            self.keep.put(key, result, seen=seen, parts=self.parts)
        return result

    def _latency(self, check: Check[Any], requirement: Requirement) -> LatencyRun | None:
        """The timed calls, for a check that rests on them."""
        if not check.measured:
            return None
        if hasattr(requirement, "calls") and self.latency is None and self.evidence.latency is not None:
            self.latency = self.evidence.latency.measure(calls=_calls(self.asked))
        return self.latency


def _judge_all(
    session: _Session, *, comparisons: int, progress: Progress | None
) -> tuple[dict[str, CheckResult], Resampling]:
    """The results, and the confidence of their intervals.

    With Benjamini and Hochberg's correction the intervals are the narrowest that let as many comparisons be decided as
    they were made for: at 1 - k q / m for k of m (Benjamini and Yekutieli 2005, "False Discovery Rate-Adjusted Multiple
    Confidence Intervals for Selected Parameters"). Wider intervals decide no more of them, so where ``k`` is too many,
    so is all between it and what it decides.
    """
    statistics = session.statistics
    if statistics.false_share is None:
        resampling = statistics.resampling(comparisons=comparisons)
        return session.run(resampling, progress), resampling
    sampled = [item for item in session.asked if _samples(item, session.needed[item.check])]
    tried = max(comparisons, 1)
    while True:
        resampling = statistics.resampling(comparisons=comparisons, decided=tried)
        results = session.run(resampling, progress)
        decided = sum(results[item.id].verdict in ("PASS", "FAIL") for item in sampled)
        if decided >= tried or tried == 1:
            return results, resampling
        tried = max(decided, 1)


def _samples(requirement: Requirement, check: Check[Any]) -> bool:
    """Whether its number comes from a sample; a requirement that knows better than its check says so."""
    return bool(getattr(requirement, "samples", check.samples))


def _calls(asked: Sequence[Requirement]) -> int:
    return max(getattr(requirement, "calls", 0) for requirement in asked)
