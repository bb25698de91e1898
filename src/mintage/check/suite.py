"""What every check must pass, as tests that pytest collects. A package that brings a check has a class of it:

    from mintage.check.suite import CheckSuite

    class TestImpactRatio(CheckSuite):
        check = CHECK
        keys = {"min": 0.8}    # as in a policy; what the requirement has to have

``tasks`` names those that the check claims, by default all; another one it may judge or refuse, but not break off.
Nothing here needs pytest itself. It does not show that a check is right: plant a fault that it must fail, and a twin
without one that it must pass.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from mintage.certify.answers import Task
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.check import Check, CheckResult
from mintage.certify.evidence import Evidence
from mintage.certify.guard import run_guarded
from mintage.certify.judge import judge
from mintage.certify.policy import Policy, parse_policy
from mintage.certify.served import Columns, Served
from mintage.check.sample import TASKS, hard_cases, sample_evidence
from mintage.errors import PolicyUnfitError

__all__ = ["CheckSuite"]

_ISSUED = "2026-01-01T00:00:00Z"


class CheckSuite:
    """The tests; see the module's text."""

    check: ClassVar[Check[Any]]
    keys: ClassVar[Mapping[str, Any]] = {}
    tasks: ClassVar[tuple[Task, ...]] = TASKS

    def policy(self, task: Task, *, multiplicity: str = "none") -> Policy:
        """A policy of this check alone; override it where ``keys`` differ by task."""
        requirement = {"id": "tried", "check": self.check.id, **self.keys}
        text = msgspec.json.encode(
            {
                "model": "sample",
                "owner": "you@example.org",
                "statistics": {"seed": 7, "draws": 400, "multiplicity": multiplicity},
                "requirements": [requirement],
            }
        )
        return parse_policy(text, where="policies/sample.yaml", checks={self.check.id: self.check})

    def result(self, evidence: Evidence, *, limit_s: float = 60.0) -> CheckResult:
        """What the check itself gives, with the wall times that were recorded."""
        policy = self.policy(evidence.task)
        latency = None if evidence.latency is None else evidence.latency.measure(calls=2000)
        result, given = run_guarded(
            self.check,
            evidence,
            policy.requirements[0],
            resampling=policy.statistics.resampling(comparisons=1),
            latency=latency if self.check.measured else None,
            limit_s=limit_s,
        )
        if not given:
            raise AssertionError(result.reason)
        return result

    def test_the_check_says_what_it_is(self) -> None:
        check = self.check
        _must(isinstance(check.id, str) and check.id.strip() == check.id != "", "`id` is what policies write")
        _must(isinstance(check.version, int) and check.version >= 0, "`version` is a whole number, from 0 on")
        _must(bool(check.title.strip()) and "\n" not in check.title, "`title` is one line")
        _must(isinstance(check.samples, bool) and isinstance(check.measured, bool), "`samples`, `measured` are bools")

    def test_a_key_that_the_requirement_does_not_have_is_refused(self) -> None:
        raw = {"id": "tried", "check": self.check.id, **self.keys, "no_such_key": 1}
        try:
            msgspec.convert(raw, self.check.requirement_type)
        except msgspec.ValidationError:
            return
        raise AssertionError("the requirement takes a key that it does not know: subclass mintage.check.Requirement")

    def test_each_task_that_it_claims_gets_a_result(self) -> None:
        for task, grouped in itertools.product(self.tasks, (False, True)):
            self.policy(task).requirements[0].check_task(task)
            self.well_formed(self.result(sample_evidence(task, grouped=grouped)), f"{task}, grouped: {grouped}")

    def test_another_task_is_judged_or_refused_before_it_runs(self) -> None:
        for task in set(TASKS) - set(self.tasks):
            try:
                self.policy(task).requirements[0].check_task(task)
            except PolicyUnfitError:
                continue
            self.well_formed(self.result(sample_evidence(task)), task)

    def test_the_same_evidence_gives_the_same_bits(self) -> None:
        for task in self.tasks:
            first, second = (self.result(sample_evidence(task, grouped=True)) for _ in range(2))
            _must(msgspec.json.encode(first) == msgspec.json.encode(second), f"{task}: {first} is not {second}")

    def test_hard_cases_get_a_result_and_never_an_exception(self) -> None:
        for task in self.tasks:
            for name, evidence in hard_cases(task).items():
                try:
                    self.well_formed(self.result(evidence), f"{task}, {name}")
                except AssertionError as error:
                    raise AssertionError(f"{task}, {name}: {error}") from error

    def test_the_certificate_with_its_result_can_be_read(self) -> None:
        for task, multiplicity in itertools.product(self.tasks, ("none", "bonferroni")):
            policy = self.policy(task, multiplicity=multiplicity)
            outcome = certify(sample_evidence(task), policy, checks={self.check.id: self.check})
            certificate = parse_certificate(certificate_statement(outcome, files={}, issued=_ISSUED))
            found = certificate.results + certificate.measured
            _must(msgspec.to_builtins(found[0]) == msgspec.to_builtins(outcome.results[0]), "the reader sees another")

    def test_a_model_that_never_answers_is_stopped_at_the_limit(self) -> None:
        def forever(columns: Columns) -> Any:
            for _ in itertools.count():
                pass

        policy = self.policy(self.tasks[0])
        result, given = run_guarded(
            self.check,
            replace(sample_evidence(self.tasks[0]), served=Served(forever)),
            policy.requirements[0],
            resampling=policy.statistics.resampling(comparisons=1),
            latency=None,
            limit_s=0.5,
        )
        _must(given or result.reason.endswith("stopped after 0.5 s"), result.reason)

    def well_formed(self, result: CheckResult, where: str) -> None:
        """The result is the requirement's, its verdict follows from its numbers, and its reason says something."""
        _must((result.requirement, result.check) == ("tried", self.check.id), f"{where}: it is of another requirement")
        _must(bool(result.reason.strip()), f"{where}: the result has no reason")
        if result.verdict in ("PASS", "FAIL") and result.gate is not None:
            _must(result.interval is not None, f"{where}: {result.verdict} without an interval")
        if result.interval is not None and result.gate is not None:
            judged = judge(result.interval, result.gate)
            order = ("PASS", "INCONCLUSIVE", "FAIL")
            worse = result.verdict in order and order.index(result.verdict) >= order.index(judged)
            _must(worse, f"{where}: it says {result.verdict}, and its numbers {judged}")
        msgspec.json.decode(msgspec.json.encode(result), type=CheckResult)


def _must(true: bool, otherwise: str) -> None:
    if not true:
        raise AssertionError(otherwise)
