"""A check that breaks off or hangs costs its own verdict, and no other."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from certify_evidence import make_evidence

from mintage.certify.certify import Outcome, certify
from mintage.certify.check import CheckResult, Requirement
from mintage.certify.measure import without_number
from mintage.certify.policy import parse_policy
from mintage.certify.registry import find_checks

POLICY = b"""
model: late
owner: risk@example.org
check_limit_s: 1
statistics: {seed: 1, draws: 400, multiplicity: MULTIPLICITY}
requirements:
  - {id: strange, check: X9}
  - {id: auc, check: F1, metric: roc_auc, min: 0.70}
  - {id: gap, check: F5, max: 0.05}
"""


class Strange:
    """A third party's check that does what it is told."""

    id, version, title, samples, measured = "X9", 0, "strange", True, False
    requirement_type = Requirement

    def __init__(self, act: Callable[[], object]) -> None:
        self.act = act
        self.runs = 0

    def run(self, evidence: Any, requirement: Requirement, **rest: Any) -> CheckResult:
        """Act, and never come to a verdict."""
        self.runs += 1
        self.act()
        raise AssertionError("it came back")


def judged(check: Strange, *, multiplicity: str = "none") -> Outcome:
    checks = {**find_checks([]), "X9": check}
    policy = parse_policy(
        POLICY.replace(b"MULTIPLICITY", multiplicity.encode()), where="policies/late.yaml", checks=checks
    )
    return certify(make_evidence(), policy, checks=checks)


def test_a_check_that_raises_is_inconclusive_with_what_it_said_and_the_rest_go_on() -> None:
    outcome = judged(Strange(lambda: {}["income"]))
    verdicts = {result.requirement: result.verdict for result in outcome.results}
    assert verdicts == {"strange": "INCONCLUSIVE", "auc": "PASS", "gap": "PASS"}
    assert outcome.results[0].reason == ("strange: not known, the check broke off: KeyError: 'income'")
    assert outcome.verdict == "INCONCLUSIVE"


def test_a_check_that_never_ends_is_stopped_at_the_limit_of_the_policy() -> None:
    def hang() -> None:
        for _ in itertools.count():
            try:
                list(range(1000))
            except Exception:  # noqa: BLE001 - what a careless check does
                continue

    outcome = judged(Strange(hang))
    assert outcome.results[0].reason == "strange: not known, the check was stopped after 1 s"
    assert [result.verdict for result in outcome.results] == ["INCONCLUSIVE", "PASS", "PASS"]


def test_a_check_that_broke_off_is_not_asked_again_at_another_confidence() -> None:
    check = Strange(lambda: 1 / 0)
    outcome = judged(check, multiplicity="benjamini-hochberg(0.1)")
    assert "ZeroDivisionError" in outcome.results[0].reason
    assert check.runs == 1


def test_a_stepped_correction_leaps_to_what_is_decided_instead_of_trying_each_step() -> None:
    rounds: list[int] = []

    class Told(Strange):
        def run(self, evidence: Any, requirement: Requirement, **rest: Any) -> CheckResult:
            rounds.append(1)
            return without_number(self, requirement, verdict="PASS", reason="well")

    check = Told(lambda: None)
    line = "  - {id: near-NUMBER, check: F1, metric: roc_auc, min: 0.82NUMBER, severity: note}\n"
    near = "".join(line.replace("NUMBER", str(number)) for number in range(8))
    checks = {**find_checks([]), "X9": check}
    text = POLICY.replace(b"MULTIPLICITY", b"benjamini-hochberg(0.1)") + near.encode()
    outcome = certify(make_evidence(), parse_policy(text, where="x", checks=checks), checks=checks)
    assert {result.verdict for result in outcome.results[3:]} == {"INCONCLUSIVE"}
    assert len(rounds) == 2
    assert outcome.confidence_each == pytest.approx(1 - 0.1 * 3 / 11)
