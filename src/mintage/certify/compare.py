"""Compare two certificates: verdicts, numbers, policy, data, waivers, findings, order. Pure.

``compare`` says what is different and which way; whether a number differs by more than chance is not asked, which is
what the check F3 is for: the intervals stand beside the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from mintage.certify.certificate import Certificate, CertificateData
from mintage.certify.check import CheckResult
from mintage.certify.clause_table import State
from mintage.certify.judge import Verdict
from mintage.certify.policy import Policy
from mintage.certify.policy_change import PolicyChange, policy_changes

__all__ = ["CertificateDiff", "Changed", "Listed", "NumberChange", "Turn", "VerdictChange", "compare"]

Turn = Literal["worse", "better", "other"]
_RANK: dict[Verdict, int] = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}


class VerdictChange(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement of both whose verdict is another; ``reason`` is the new one's."""

    requirement: str
    old: Verdict
    new: Verdict
    turn: Turn
    reason: str


class NumberChange(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement of both whose number is another: the whole results, with interval, gate and unit."""

    requirement: str
    old: CheckResult
    new: CheckResult


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that both have, and that is another."""

    what: str
    old: str
    new: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that only one of them has: ``added`` by the new one, or ``gone``."""

    turn: Literal["added", "gone"]
    what: str
    text: str


class CertificateDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What is different. ``facts`` are those of the whole: verdict, model, domain, champion, order, last day."""

    facts: tuple[Changed, ...]
    verdicts: tuple[VerdictChange, ...]
    numbers: tuple[NumberChange, ...]
    policy: tuple[PolicyChange, ...]
    data: tuple[Changed, ...]
    waivers: tuple[Listed, ...]
    findings: tuple[Listed, ...]
    clauses: tuple[Changed, ...]

    @property
    def is_worse(self) -> bool:
        """Whether a verdict got worse, or the policy asks for less."""
        looser = any(change.kind in ("removed", "loosened") for change in self.policy)
        return looser or any(change.turn == "worse" for change in self.verdicts)


def compare(
    old: Certificate, new: Certificate, *, policies: tuple[Policy | None, Policy | None] = (None, None)
) -> CertificateDiff:
    """What ``new`` has otherwise than ``old``; ``policies`` are their policies' texts, as far as they are known."""
    both = [(_results(old)[name], result) for name, result in _results(new).items() if name in _results(old)]
    return CertificateDiff(
        facts=tuple(_facts(old, new)),
        verdicts=tuple(_verdict(one, other) for one, other in both if one.verdict != other.verdict),
        numbers=tuple(
            NumberChange(requirement=other.requirement, old=one, new=other)
            for one, other in both
            if (one.estimate, one.interval) != (other.estimate, other.interval)
        ),
        policy=policy_changes(old, new, policies=policies),
        data=tuple(_data(old, new)),
        waivers=tuple(_listed(_waivers(old), _waivers(new))),
        findings=tuple(_listed(_findings(old), _findings(new))),
        clauses=tuple(_clauses(old, new)),
    )


def _facts(old: Certificate, new: Certificate) -> Iterator[Changed]:
    pairs = {
        "verdict": (old.verdict, new.verdict),
        "model": (old.root, new.root),
        "policy": (old.policy.digest, new.policy.digest),
        "domain": (old.domain, new.domain),
        "champion": (old.champion or "none", new.champion or "none"),
        "order": (old.order.state, new.order.state),
        "holds until": (old.expires, new.expires),
    }
    for what, (before, after) in pairs.items():
        if before != after:
            yield Changed(what=what, old=before, new=after)


def _verdict(old: CheckResult, new: CheckResult) -> VerdictChange:
    turn: Turn = "other"
    if old.verdict in _RANK and new.verdict in _RANK:
        turn = "worse" if _RANK[new.verdict] < _RANK[old.verdict] else "better"
    return VerdictChange(requirement=new.requirement, old=old.verdict, new=new.verdict, turn=turn, reason=new.reason)


def _data(old: Certificate, new: Certificate) -> Iterator[Changed]:
    before, after = ({item.name: item for item in certificate.data} for certificate in (old, new))
    for name in [*after, *(name for name in before if name not in after)]:
        one, other = before.get(name), after.get(name)
        if one != other:
            yield Changed(what=name, old=_split(one), new=_split(other))


def _split(data: CertificateData | None) -> str:
    if data is None:
        return "none"
    groups = "" if data.groups == data.rows else f" in {data.groups:,} groups"
    return f"{data.rows:,} rows{groups}, {(data.digest or 'no digest')[:15]}"


def _waivers(certificate: Certificate) -> dict[str, str]:
    return {item.requirement: f"until {item.expires} by {item.approver}: {item.reason}" for item in certificate.waivers}


def _findings(certificate: Certificate) -> dict[str, str]:
    return {
        item.finding: f"expects {item.expect}; {item.answer}, {'met' if item.met else 'not met'}"
        for item in certificate.findings
    }


def _listed(old: dict[str, str], new: dict[str, str]) -> Iterator[Listed]:
    for what, text in new.items():
        if old.get(what) != text:
            yield Listed(turn="added", what=what, text=text)
    for what, text in old.items():
        if what not in new:
            yield Listed(turn="gone", what=what, text=text)


def _clauses(old: Certificate, new: Certificate) -> Iterator[Changed]:
    before, after = _states(old), _states(new)
    for control in sorted(before.keys() | after.keys()):
        one, other = before.get(control), after.get(control)
        if one != other:
            yield Changed(what=control, old=one or "not named", new=other or "not named")


def _states(certificate: Certificate) -> dict[str, State]:
    return {item.control: item.state for item in certificate.clauses}


def _results(certificate: Certificate) -> dict[str, CheckResult]:
    return {item.requirement: item for item in certificate.results + certificate.measured}
