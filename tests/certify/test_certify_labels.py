"""Labels that look wrong: planted ones are found, and right ones of classes that overlap do not fail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certify_evidence import make_evidence
from certify_real import real_evidence, results, taken

from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.checks.d4 import suspected
from mintage.certify.evidence import Evidence
from mintage.certify.policy import parse_policy

pytest.importorskip("sklearn")
LINE = "id: labels, check: D4, max_share: 0.12"


def flipped(evidence: Evidence, share: float) -> Evidence:
    """The evidence after so many training labels became the next class."""
    labels = evidence.train.labels.copy()
    rows = np.random.default_rng(5).permutation(len(labels))[: round(share * len(labels))]
    labels[rows] = (labels[rows] + 1) % len(evidence.classes)
    return replace(evidence, train=replace(evidence.train, labels=labels))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_flipped_labels_leave_it_open_and_right_ones_pass(task: str) -> None:
    evidence = real_evidence(task)
    assert results(evidence, LINE)["labels"].verdict == "PASS"
    result = results(flipped(evidence, 0.25), LINE)["labels"]
    assert result.verdict == "INCONCLUSIVE" and "look at some of the rows" in result.reason
    assert result.estimate is not None and result.estimate > 0.18


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_labels_that_equal_rows_contradict_fail_only_labels(task: str) -> None:
    evidence = real_evidence(task)
    many = taken(evidence.train, np.tile(np.arange(evidence.train.rows), 3))
    many = replace(many, extra={})
    evidence = replace(evidence, train=many, spec=None, holdout=replace(evidence.holdout, extra={}))
    lines = (LINE, "id: shared, check: L1", "id: entities, check: L2", "id: target, check: L4, max: 0.999")
    assert {result.verdict for result in results(evidence, *lines).values()} <= {"PASS", "NOT_APPLICABLE"}
    found = results(flipped(evidence, 0.3), *lines)
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"labels"}


def test_rows_that_are_equal_by_chance_contradict_nothing() -> None:
    evidence = real_evidence("binary")
    coarse = taken(evidence.train, np.tile(np.arange(60), 12))
    evidence = replace(evidence, train=replace(coarse, extra={}), spec=None)
    result = results(flipped(evidence, 0.3), LINE)["labels"]
    assert result.verdict == "INCONCLUSIVE" and "equal by chance" in result.reason
    assert result.details["rows that equal rows contradict"] > 100


def test_right_labels_of_classes_that_overlap_do_not_fail_and_the_certificate_reads_back() -> None:
    evidence = replace(make_evidence(rows=60), model="real")
    text = f"model: real\nowner: x\nrequirements:\n  - {{{LINE}}}\n"
    outcome = certify(evidence, parse_policy(text.encode(), where="p"))
    assert outcome.results[0].verdict == "INCONCLUSIVE"
    statement = certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")
    assert parse_certificate(statement).verdict == "INCONCLUSIVE"


def test_it_does_not_apply_to_a_regression_and_a_class_without_rows_is_never_suspected() -> None:
    assert results(real_evidence("regression"), LINE)["labels"].verdict == "NOT_APPLICABLE"
    values = np.array([[0.2, 0.1, 0.7], [0.1, 0.8, 0.1]])
    assert suspected(values, np.array([0, 1])).tolist() == [False, False]
