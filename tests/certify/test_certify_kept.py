"""A certification does again only what changed: results and answers are kept by all that they rest on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from certify_evidence import Watcher, binary, make_evidence

from mintage.certify.certify import Outcome, certify
from mintage.certify.check import CheckResult, Requirement
from mintage.certify.code import code_of
from mintage.certify.content import content_digest
from mintage.certify.evidence import Evidence, Native
from mintage.certify.kept_answers import KeptAnswers
from mintage.certify.kept_files import KeptFiles
from mintage.certify.kept_results import KeptResults
from mintage.certify.measure import without_number
from mintage.certify.order import OrderFacts
from mintage.certify.policy import Policy, parse_policy
from mintage.certify.registry import find_checks
from mintage.certify.served import Served
from mintage.record.canonical import canonical_bytes

POLICY = """
model: late
owner: risk@example.org
statistics: {seed: 1, draws: 400}
requirements:
  - {id: auc, check: F1, metric: roc_auc, min: 0.70}
  - {id: gap, check: F5, max: 0.05}
  - {id: alone, check: L4}
  - {id: order, check: V4, severity: note}
  - {id: p50, check: T1, quantile: 0.5, max_ms: 5}
"""
UNMEASURED = {"auc", "gap", "alone", "order"}


def kept_in(folder: Path, *, environment: str = "e", fresh: bool = False) -> KeptResults:
    return KeptResults(KeptFiles(folder, most_bytes=10**9, fresh=fresh), environment=environment)


def policy_of(text: str = POLICY, checks: Any = None) -> Policy:
    return parse_policy(text.encode(), where="policies/late.yaml", checks=checks)


def judged(keep: KeptResults, evidence: Evidence | None = None, text: str = POLICY) -> Outcome:
    return certify(make_evidence() if evidence is None else evidence, policy_of(text), keep=keep)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert judged(kept_in(tmp_path)).kept == frozenset()
    return tmp_path


def test_what_has_not_changed_is_known_to_the_last_bit_and_time_is_measured_again(folder: Path) -> None:
    seen: list[CheckResult] = []
    watcher = Watcher(seen.append)
    again = certify(make_evidence(), policy_of(), keep=kept_in(folder), progress=watcher)
    plain = certify(make_evidence(), policy_of())
    assert again.kept == UNMEASURED == set(watcher.kept)
    assert again.latency is not None
    assert [canonical_bytes(msgspec.to_builtins(item)) for item in again.results] == [
        canonical_bytes(msgspec.to_builtins(item)) for item in plain.results
    ]
    assert len(seen) == 5


def test_one_changed_requirement_runs_alone(folder: Path) -> None:
    assert judged(kept_in(folder), text=POLICY.replace("min: 0.70", "min: 0.71")).kept == UNMEASURED - {"auc"}


@pytest.mark.parametrize(
    "statistics", ["seed: 2, draws: 400", "seed: 1, draws: 500", "seed: 1, draws: 400, confidence: 0.9"]
)
def test_other_statistics_run_all_again(folder: Path, statistics: str) -> None:
    assert judged(kept_in(folder), text=POLICY.replace("seed: 1, draws: 400", statistics)).kept == frozenset()


def test_what_is_said_of_a_requirement_and_its_tier_run_nothing_again(folder: Path) -> None:
    text = POLICY.replace("max: 0.05", "max: 0.05, about: no overfitting, tier: release")
    assert judged(kept_in(folder), text=text).kept == UNMEASURED


def test_only_checks_that_looked_at_what_changed_run_again(folder: Path) -> None:
    evidence = make_evidence()
    values = evidence.holdout.scores.copy()
    values[0] = 0.5
    other = replace(evidence, holdout=replace(evidence.holdout, answers=binary(values)))
    kept = judged(kept_in(folder), other).kept
    assert "order" in kept
    assert not {"auc", "gap"} & kept
    moved = replace(other, order=OrderFacts(policy_commit="4a"))
    assert judged(kept_in(folder), moved).kept == UNMEASURED - {"order"}
    with_labels = replace(evidence, train=replace(evidence.train, labels=1 - evidence.train.labels))
    assert not {"alone", "gap"} & judged(kept_in(folder), with_labels).kept


def test_another_model_or_environment_or_a_wish_for_fresh_ones_runs_all_again(folder: Path) -> None:
    assert judged(kept_in(folder), make_evidence(root="sha256:" + "b" * 64)).kept == frozenset()
    assert judged(kept_in(folder, environment="other")).kept == frozenset()
    assert judged(kept_in(folder, fresh=True)).kept == frozenset()


def test_a_damaged_or_exchanged_entry_is_as_if_it_were_not_there(folder: Path) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(paths) == len(UNMEASURED)
    first, second, third, _ = (path.read_bytes() for path in paths)
    paths[0].write_bytes(first.replace(b'"PASS"', b'"FAIL"').replace(b'"INCONCLUSIVE"', b'"PASS"'))
    paths[1].write_bytes(third)
    paths[2].write_bytes(second[: len(second) // 2])
    paths[3].write_bytes(b"")
    assert judged(kept_in(folder)).kept == frozenset()
    assert judged(kept_in(folder)).kept == UNMEASURED


class Counting:
    """A check of somebody else's that does what it is told."""

    id, version, title, samples, measured = "X9", 0, "strange", False, False
    requirement_type = Requirement

    def __init__(self, act: Callable[[Evidence], object]) -> None:
        self.act = act
        self.runs = 0

    def run(self, evidence: Evidence, requirement: Requirement, **rest: Any) -> CheckResult:
        """Act, then pass."""
        self.runs += 1
        said = self.act(evidence)
        result = without_number(self, requirement, verdict="PASS", reason="well")
        return result if said is None else msgspec.structs.replace(result, details={"said": said})


def twice(folder: Path, check: Any, evidence: Evidence | None = None) -> int:
    checks = {**find_checks([]), "X9": check}
    policy = policy_of(POLICY.replace("{id: order, check: V4, severity: note}", "{id: own, check: X9}"), checks)
    for _ in range(2):
        certify(make_evidence() if evidence is None else evidence, policy, checks=checks, keep=kept_in(folder))
    return int(check.runs)


def test_a_check_of_another_package_is_kept_by_the_code_of_that_package(folder: Path) -> None:
    assert twice(folder, Counting(lambda evidence: None)) == 1
    assert twice(folder / "exact", Counting(lambda evidence: 0.1 + 0.2)) == 1


def test_what_broke_off_or_cannot_be_told_to_the_last_bit_is_not_kept(folder: Path) -> None:
    assert twice(folder, Counting(lambda evidence: 1 / 0)) == 2
    assert twice(folder, Counting(lambda evidence: float("nan"))) == 2


def test_what_looked_at_something_without_a_name_is_not_kept(folder: Path) -> None:
    asked = Served(lambda columns: binary(np.full(len(columns["a"]), 0.5)))
    looks = Counting(lambda evidence: evidence.served and None)
    assert twice(folder, looks, make_evidence(served=asked)) == 2
    named = Served(lambda columns: binary(np.full(len(columns["a"]), 0.5)), identity="root")
    assert twice(folder, Counting(looks.act), make_evidence(served=named)) == 1


def test_a_wrapper_of_ours_must_say_what_it_wraps() -> None:
    wrapper = type("Wrapper", (Counting,), {"__module__": "mintage.certify.own"})
    assert code_of(wrapper(print)) is None
    named = type("Wrapper", (Counting,), {"__module__": "mintage.certify.own", "identity": "file 1"})
    other = type("Wrapper", (Counting,), {"__module__": "mintage.certify.own", "identity": "file 2"})
    assert None is not code_of(named(print)) != code_of(other(print))
    assert {code_of(check) for check in find_checks([]).values()} != {None}


def test_a_certification_that_is_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    def end(result: CheckResult) -> None:
        if result.requirement == "gap":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        certify(make_evidence(), policy_of(), keep=kept_in(tmp_path), progress=Watcher(end))
    assert judged(kept_in(tmp_path)).kept == {"auc", "gap"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        ([1, 2], [[1], 2]),
        (["ab"], ["a", "b"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.array([1.0, 0.0]), np.array([1.0, -0.0])),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2), np.zeros(2, dtype=np.float32)),
        (np.array(["a", None], dtype=object), np.array(["a", "None"], dtype=object)),
        (np.array(["2026-01-01"], dtype=object), np.array([date(2026, 1, 1)], dtype=object)),
        (Native(holdout=np.ones(1), edge=np.ones(1), edge_served=np.zeros(1)), (np.ones(1), np.ones(1), np.zeros(1))),
    ],
)
def test_values_that_differ_in_anything_have_other_digests(one: Any, other: Any) -> None:
    assert content_digest(one) != content_digest(other)
    assert content_digest(one) == content_digest(one) is not None


def test_values_that_hold_something_unknown_have_no_digest() -> None:
    assert content_digest({"a": [object()]}) is None
    assert content_digest(np.array([object()], dtype=object)) is None
    assert content_digest(np.array(["\ud800"], dtype=object)) is not None


def answers_in(folder: Path, **rest: Any) -> KeptAnswers:
    return KeptAnswers(KeptFiles(folder, most_bytes=10**9, **rest), environment="e")


def test_rows_are_predicted_once_for_a_model_and_their_content(tmp_path: Path) -> None:
    rows = {"a": np.array([1.0, np.nan]), "kind": np.array(["x", None], dtype=object)}
    asked: list[int] = []

    def compute() -> Any:
        asked.append(1)
        return np.array([[0.1, 0.9], [0.5, 0.5]])

    for _ in range(2):
        answers = answers_in(tmp_path)
        assert answers.values("root", rows, compute).tolist() == [[0.1, 0.9], [0.5, 0.5]]
    assert len(asked) == 1
    answers.values("another", rows, compute)
    answers.values("root", {**rows, "a": np.array([1.0, 2.0])}, compute)
    answers_in(tmp_path, fresh=True).values("root", rows, compute)
    assert len(asked) == 4
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"x")
    answers_in(tmp_path).values("root", rows, compute)
    assert len(asked) == 5


def test_answers_of_the_original_are_kept_by_the_facts_that_they_depend_on(tmp_path: Path) -> None:
    answers = answers_in(tmp_path)
    key = answers.native_key("root", "b3:1", 7)
    assert answers.native(key) is None
    answers.put_native(key, Native(holdout=np.ones(3), edge=np.zeros(2), edge_served=np.zeros(2)))
    found = answers_in(tmp_path).native(key)
    assert found is not None
    assert (found.holdout.tolist(), found.edge.tolist()) == ([1.0, 1.0, 1.0], [0.0, 0.0])
    assert answers.native(answers.native_key("root", "b3:1", 8)) is None
    assert answers.native_key("root", object()) is None


def test_what_was_not_used_for_longest_goes_when_there_is_too_much(tmp_path: Path) -> None:
    files = KeptFiles(tmp_path, most_bytes=250)
    names = [f"b3:{number}{'0' * 63}" for number in range(3)]
    for number, name in enumerate(names):
        files.put(name, b"x" * 40)
        path = next(
            path for path in tmp_path.rglob("*0") if path.is_file() and path.parent.name.startswith(str(number))
        )
        os.utime(path, (number, number))
    assert files.get(names[0]) == b"x" * 40  # which makes it the latest used
    files.prune()
    assert [files.get(name) is not None for name in names] == [True, False, True]
