"""Decide what changed between two policies, and whether the new one asks for less. Pure.

Gate, severity and correction have a milder side, so a change of them is *loosened* or *tightened*; a requirement is
*added* or *removed*; what has no such side (a metric, a seed, columns) is *changed*, for people to judge.

>>> gate_change(Gate(direction="at_least", threshold=0.7), Gate(direction="at_least", threshold=0.6))
'loosened'
>>> gate_change(Gate(direction="at_most", threshold=0.7), Gate(direction="at_most", threshold=0.6))
'tightened'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from mintage.certify.certificate import Certificate, CertificateStatistics
from mintage.certify.check import CheckResult
from mintage.certify.judge import Gate
from mintage.certify.policy import Policy
from mintage.certify.result_words import gate_words

__all__ = ["Kind", "PolicyChange", "gate_change", "policy_changes"]

Kind = Literal["removed", "loosened", "changed", "added", "tightened"]
_SEVERITIES = ("note", "should", "must")
_SAID_BY_RESULTS = frozenset(["id", "check", "severity", "min", "max", "about", "controls"])
_ORDER: dict[Kind, int] = {"removed": 0, "loosened": 1, "changed": 2, "added": 3, "tightened": 4}


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: of the requirement or statistic ``what``, ``old`` and ``new`` in words."""

    kind: Kind
    what: str
    old: str
    new: str


def policy_changes(
    old: Certificate, new: Certificate, *, policies: tuple[Policy | None, Policy | None] = (None, None)
) -> tuple[PolicyChange, ...]:
    """All changes, what asks for less first. Certificates alone tell of requirements, gates, severities and statistics;
    with the texts of both ``policies`` the checks' other keys are compared too."""
    found = [*_requirement_changes(old, new), *_statistic_changes(old.statistics, new.statistics)]
    if old.policy.domain is not None and new.policy.domain is None:
        found.append(PolicyChange(kind="loosened", what="domain", old="pinned", new="not pinned"))
    if old.policy.owner != new.policy.owner:
        found.append(PolicyChange(kind="changed", what="owner", old=old.policy.owner, new=new.policy.owner))
    if policies[0] is not None and policies[1] is not None:
        found += _text_changes(policies[0], policies[1])
    return tuple(sorted(found, key=lambda change: (_ORDER[change.kind], change.what)))


def gate_change(old: Gate | None, new: Gate | None) -> Kind | None:
    """How a gate changed; None if it did not, or one of the two was never reached."""
    if old is None or new is None or old == new:
        return None
    if "at_most" in (old.direction, new.direction) and old.direction != new.direction:
        return "changed"
    if old.threshold != new.threshold:
        return "loosened" if (new.threshold > old.threshold) == (old.direction == "at_most") else "tightened"
    return "tightened" if new.direction == "above" else "loosened"


def _requirement_changes(old: Certificate, new: Certificate) -> Iterator[PolicyChange]:
    before, after = _by_id(old), _by_id(new)
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one is None and other is not None:
            yield PolicyChange(kind="added", what=name, old="", new=_asked(other))
        elif other is None and one is not None:
            yield PolicyChange(kind="removed", what=name, old=_asked(one), new="")
        elif one is not None and other is not None:
            yield from _one_requirement(name, one, other)


def _one_requirement(name: str, old: CheckResult, new: CheckResult) -> Iterator[PolicyChange]:
    if old.check != new.check:
        yield PolicyChange(kind="changed", what=f"{name}, check", old=old.check, new=new.check)
        return
    kind = gate_change(old.gate, new.gate)
    if kind is not None:
        yield PolicyChange(kind=kind, what=name, old=gate_words(old.gate), new=gate_words(new.gate))
    if old.severity != new.severity:
        milder = _SEVERITIES.index(new.severity) < _SEVERITIES.index(old.severity)
        yield PolicyChange(
            kind="loosened" if milder else "tightened", what=f"{name}, severity", old=old.severity, new=new.severity
        )


def _statistic_changes(old: CertificateStatistics, new: CertificateStatistics) -> Iterator[PolicyChange]:
    if old.confidence != new.confidence:
        kind: Kind = "loosened" if new.confidence < old.confidence else "tightened"
        yield PolicyChange(kind=kind, what="confidence", old=f"{old.confidence:g}", new=f"{new.confidence:g}")
    if old.inconclusive != new.inconclusive:
        kind = "loosened" if new.inconclusive == "allow" else "tightened"
        yield PolicyChange(kind=kind, what="inconclusive", old=old.inconclusive, new=new.inconclusive)
    if old.multiplicity != new.multiplicity:
        sides: dict[str, Kind] = {old.multiplicity: "tightened", new.multiplicity: "loosened"}
        kind = sides.get("none", "changed")
        yield PolicyChange(kind=kind, what="multiplicity", old=old.multiplicity, new=new.multiplicity)
    for name in ("seed", "draws"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield PolicyChange(kind="changed", what=name, old=str(before), new=str(after))


def _text_changes(old: Policy, new: Policy) -> Iterator[PolicyChange]:
    """The keys that results do not show."""
    if old.valid_days != new.valid_days:
        kind: Kind = "loosened" if new.valid_days > old.valid_days else "tightened"
        yield PolicyChange(kind=kind, what="valid_days", old=str(old.valid_days), new=str(new.valid_days))
    if old.examples != new.examples:
        yield PolicyChange(kind="changed", what="examples", old=_words(old.examples), new=_words(new.examples))
    before, after = _keys(old), _keys(new)
    for name in sorted(before.keys() & after.keys()):
        if before[name]["check"] != after[name]["check"]:
            continue
        for key in sorted((before[name].keys() | after[name].keys()) - _SAID_BY_RESULTS):
            one, other = before[name].get(key), after[name].get(key)
            if one != other:
                yield PolicyChange(kind="changed", what=f"{name}, {key}", old=_words(one), new=_words(other))


def _keys(policy: Policy) -> Mapping[str, dict[str, Any]]:
    return {item.id: msgspec.to_builtins(item) for item in policy.requirements}


def _words(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _by_id(certificate: Certificate) -> dict[str, CheckResult]:
    return {item.requirement: item for item in certificate.results + certificate.measured}


def _asked(result: CheckResult) -> str:
    return " ".join(part for part in (result.severity, result.check, gate_words(result.gate)) if part)
