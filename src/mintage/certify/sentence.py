"""The one sentence at the top of a certificate: what was found, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mintage.certify.check import CheckResult, Tier
from mintage.certify.judge import Verdict

__all__ = ["write_sentence"]

_NAMED = 3


def write_sentence(
    model: str,
    verdict: Verdict,
    results: Sequence[CheckResult],
    *,
    builtin: str | None = None,
    waived: Mapping[str, str] | None = None,
    tier: Tier = "release",
    not_asked: int = 0,
    blocked: str | None = None,
) -> str:
    """One sentence a person can act on; by the built-in default policy of ``builtin`` no model may be released.

    ``waived`` has the last day of the waiver of each requirement whose FAIL is let stand; ``not_asked`` counts what
    ``tier`` leaves out; ``blocked`` why a PASS of the checks does not count.
    """
    waived = waived or {}
    required = [result for result in results if result.severity == "must"]
    if blocked is not None:
        return f"{model} is not decided: {blocked}."
    if verdict == "PASS":
        rest = f"{_passed(required, waived)}{_open(results)}"
        if tier != "release":
            more = f"; not asked: {not_asked} of the policy" if not_asked else ""
            return f"{model} passes what is asked of a pull request, which releases nothing: {rest}{more}."
        if builtin is not None:
            return f"{model} passes the built-in default policy: {rest}."
        return f"{model} may be released: {rest}."
    blocking = [result for result in required if result.verdict == verdict and result.requirement not in waived]
    more = f" (also {_listed([result.requirement for result in blocking[1:]])})" if len(blocking) > 1 else ""
    if verdict == "FAIL":
        return f"{model} must not be released: {blocking[0].reason}{more}."
    return f"{model} is not decided: {blocking[0].reason}{more}."


def _passed(required: Sequence[CheckResult], waived: Mapping[str, str]) -> str:
    passed = [result for result in required if result.verdict == "PASS"]
    allowed = [result for result in required if result.verdict == "INCONCLUSIVE"]
    first = next((result for result in passed if result.estimate is not None), None)
    text = f"{len(passed)} of {len(required)} required checks pass"
    if len(passed) == len(required):
        text = f"all {len(required)} required checks pass" if len(required) > 1 else "the one required check passes"
    not_applicable = sum(result.verdict == "NOT_APPLICABLE" for result in required)
    if not_applicable:
        text += f", {not_applicable} not applicable"
    if allowed:
        text += f", {len(allowed)} undecided, which the policy allows"
    text += _waived(waived)
    return text if first is None else f"{text}; {first.reason}"


def _waived(waived: Mapping[str, str]) -> str:
    return "".join(f", {requirement} FAIL, waived until {until}" for requirement, until in sorted(waived.items()))


def _open(results: Sequence[CheckResult]) -> str:
    rest = [result for result in results if result.severity != "must" and result.verdict in ("FAIL", "INCONCLUSIVE")]
    return f"; not required: {_listed([_short(result) for result in rest])}" if rest else ""


def _listed(names: Sequence[str]) -> str:
    """The first of them, and how many more: a sentence is read at once."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _short(result: CheckResult) -> str:
    why = "" if result.gate is not None else f" ({result.reason.partition(':')[0]})"
    return f"{result.requirement} {result.verdict}{why}"
