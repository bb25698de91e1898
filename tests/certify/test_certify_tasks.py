"""Models of three classes and of numbers before a policy: the fault-free ones pass, and each planted fault is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from certify_evidence import Watcher, make_evidence
from certify_tasks import task_evidence

from mintage.certify.baselines import baseline_values, baselines_of
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import Outcome, certify
from mintage.certify.evidence import Champion, Evidence
from mintage.certify.policy import parse_policy
from mintage.errors import EvidenceInvalidError, PolicyUnfitError

HEAD = "model: late\nowner: risk@example.org\nstatistics: {seed: 11, draws: 1000}\nrequirements:\n"
USUAL = """
  - {id: trivial, check: F2}
  - {id: champion, check: F3, margin: 0.02}
  - {id: gap, check: F5, max: 0.08}
  - {id: shared, check: L1}
  - {id: parity, check: Z3}
"""
FLOORS = {
    "multiclass": """
  - {id: floor, check: F1, metric: roc_auc, min: 0.7}
  - {id: loss, check: F1, metric: log_loss, max: 1.0}""",
    "regression": """
  - {id: floor, check: F1, metric: r2, min: 0.6}
  - {id: loss, check: F1, metric: mae, max: 2.0}""",
}
TASKS = ("multiclass", "regression")


def certified(evidence: Evidence, requirements: str | None = None, head: str = HEAD) -> Outcome:
    text = FLOORS[evidence.task] + USUAL if requirements is None else requirements
    return certify(evidence, parse_policy((head + text).encode(), where="policies/late.yaml"))


def faults(evidence: Evidence) -> set[str]:
    return {result.requirement for result in certified(evidence).results if result.verdict == "FAIL"}


def answering(evidence: Evidence, train: Any, holdout: Any) -> Evidence:
    """The evidence for another model on the same rows, exported without loss."""
    assert evidence.native is not None
    return replace(
        evidence,
        train=replace(evidence.train, answers=evidence.train.answers.of(train)),
        holdout=replace(evidence.holdout, answers=evidence.holdout.answers.of(holdout)),
        native=replace(evidence.native, holdout=holdout),
    )


@pytest.mark.parametrize("grouped", [True, False])
@pytest.mark.parametrize("task", TASKS)
def test_a_fault_free_model_passes_and_its_certificate_reads_back(task: str, grouped: bool) -> None:
    outcome = certified(task_evidence(task, grouped=grouped))
    verdicts = {result.requirement: result.verdict for result in outcome.results}
    assert verdicts.pop("champion") == "NOT_APPLICABLE"
    assert set(verdicts.values()) == {"PASS"}, outcome.results
    statement = certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")
    assert parse_certificate(statement).verdict == "PASS"


@pytest.mark.parametrize("task", TASKS)
def test_the_same_evidence_gives_the_same_bits(task: str) -> None:
    assert certified(task_evidence(task)).results == certified(task_evidence(task)).results


@pytest.mark.parametrize("task", TASKS)
def test_the_answers_of_a_trivial_model_fail_the_comparison_with_it(task: str) -> None:
    evidence = task_evidence(task)
    train, holdout = evidence.train, evidence.holdout
    for name in baselines_of(evidence.task):
        asked = {"task": evidence.task, "classes": 3, "seed": 11}
        own, held = (
            baseline_values([name], train.columns, train.labels, part.columns, **asked)[name]
            for part in (train, holdout)
        )
        assert "trivial" in faults(answering(evidence, own, held)), name


@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_knows_its_training_rows_by_heart_fails_the_gap_alone(task: str) -> None:
    evidence = task_evidence(task)
    labels = evidence.train.labels
    heart = np.eye(3)[labels] * 0.97 + 0.01 if task == "multiclass" else labels.astype(float)
    found = faults(answering(evidence, heart, evidence.holdout.answers.values))
    assert found == {"gap"}


@pytest.mark.parametrize("task", TASKS)
def test_rounding_to_float32_fails_only_parity(task: str) -> None:
    evidence = task_evidence(task)
    rounded = evidence.holdout.answers.values.astype(np.float32).astype(np.float64)
    served = replace(evidence.holdout, answers=evidence.holdout.answers.of(rounded))
    assert faults(replace(evidence, holdout=served)) == {"parity"}


def test_a_class_that_flips_fails_parity_within_the_tolerance_and_a_tie_does_not() -> None:
    evidence = task_evidence("multiclass")
    assert evidence.native is not None
    served, own = evidence.holdout.answers.values.copy(), evidence.native.holdout.copy()
    served[3], own[3] = [0.4 + 4e-13, 0.4 - 4e-13, 0.2], [0.4 - 4e-13, 0.4 + 4e-13, 0.2]
    served[4], own[4] = [0.4, 0.4, 0.2], [0.4 - 4e-13, 0.4 + 4e-13, 0.2]
    holdout = replace(evidence.holdout, answers=evidence.holdout.answers.of(served))
    outcome = certified(replace(evidence, holdout=holdout, native=replace(evidence.native, holdout=own)))
    parity = next(result for result in outcome.results if result.requirement == "parity")
    assert (parity.verdict, parity.details["flips"]) == ("FAIL", 1)
    assert parity.estimate is not None and parity.estimate < 1e-12


def test_numbers_beyond_one_may_be_apart_by_a_share_of_them() -> None:
    evidence = task_evidence("regression")
    big = evidence.holdout.answers.values * 1e6
    assert evidence.native is not None
    outcome = certified(
        replace(
            evidence,
            holdout=replace(evidence.holdout, answers=evidence.holdout.answers.of(big * (1 + 1e-13))),
            native=replace(evidence.native, holdout=big),
        ),
        "  - {id: parity, check: Z3}\n",
    )
    assert outcome.verdict == "PASS"


@pytest.mark.parametrize("task", TASKS)
def test_a_better_champion_fails_the_challenger_and_an_equal_one_does_not(task: str) -> None:
    evidence = task_evidence(task)
    own = evidence.holdout.answers
    champion = Champion(root="sha256:" + "c" * 64, answers=own)
    assert "champion" not in faults(replace(evidence, champion=champion))
    rng = np.random.default_rng(0)
    if task == "multiclass":
        noisy = own.values * rng.gamma(1.0, size=own.values.shape)
        noisy /= noisy.sum(axis=1, keepdims=True)
    else:
        noisy = own.values + 3 * rng.normal(size=len(own))
    worse = answering(evidence, evidence.train.answers.values, noisy)
    assert "champion" in faults(replace(worse, champion=champion))


@pytest.mark.parametrize("task", TASKS)
def test_copied_rows_are_found_by_their_labels_too(task: str) -> None:
    evidence = task_evidence(task)
    count = 20

    def copied(own: Any, other: Any) -> Any:
        return np.concatenate([other[:count], own[count:]])

    split, train = evidence.holdout, evidence.train
    columns = {name: copied(column, train.columns[name]) for name, column in split.columns.items()}
    holdout = replace(split, columns=columns, labels=copied(split.labels, train.labels))
    outcome = certified(replace(evidence, holdout=holdout), "  - {id: s, check: L1, match: features_and_label}\n")
    assert outcome.results[0].details["by features and label"] == count
    assert outcome.verdict == "FAIL"


@pytest.mark.parametrize(
    ("task", "requirement", "says"),
    [
        ("regression", "{id: a, check: F1, metric: roc_auc, min: 0.5}", "a regression model does not have"),
        ("multiclass", "{id: a, check: F5, metric: r2, max: 0.5}", "a multiclass model does not have"),
        ("binary", "{id: a, check: F3, metric: mae, margin: 0.5}", "a binary model does not have"),
        ("regression", "{id: a, check: F2, against: [prior]}", "names a trivial model that is none of a regression"),
        ("binary", "{id: a, check: F2, against: [mean, tree]}", "names a trivial model that is none of a binary"),
    ],
)
def test_a_requirement_of_another_task_is_refused_before_any_check(task: str, requirement: str, says: str) -> None:
    evidence = make_evidence(rows=20) if task == "binary" else task_evidence(task, rows=5)
    seen: list[object] = []
    policy = parse_policy((HEAD + f"  - {requirement}\n").encode(), where="policies/late.yaml")
    with pytest.raises(PolicyUnfitError, match=says) as caught:
        certify(evidence, policy, progress=Watcher(seen.append))
    assert caught.value.where == "policies/late.yaml" and not seen


def test_an_estimate_that_is_not_known_as_well_as_asked_is_inconclusive_and_says_how_many_groups_would_tell() -> None:
    line = "  - {id: a, check: F1, metric: roc_auc, min: 0.6, precision: %s}\n"
    wide, asked = certified(task_evidence("multiclass"), line % 1.0), 0.005
    assert wide.verdict == "PASS"
    outcome = certified(task_evidence("multiclass"), line % asked)
    (result,) = outcome.results
    assert result.verdict == outcome.verdict == "INCONCLUSIVE"
    assert result.interval is not None and result.needed is not None
    half = (result.interval.high - result.interval.low) / 2
    assert result.needed == pytest.approx(25 * (half / asked) ** 2, abs=1)
    assert "which must be ±0.005: about" in result.reason and "25 now" in result.reason
    parse_certificate(certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z"))


def test_what_misses_its_threshold_fails_however_wide_its_interval() -> None:
    outcome = certified(
        task_evidence("multiclass"), "  - {id: a, check: F1, metric: roc_auc, min: 0.99, precision: 0.001}\n"
    )
    assert outcome.verdict == "FAIL"


def test_benjamini_and_hochberg_widen_the_intervals_as_fewer_are_decided() -> None:
    stepped = HEAD.replace("{seed", "{multiplicity: benjamini-hochberg(0.05), seed")
    evidence = task_evidence("regression")
    clear = "  - {id: floor, check: F1, metric: r2, min: 0.6}\n"
    near = certified(evidence, clear).results[0].estimate
    open_ones = "".join(f"  - {{id: o{i}, check: F1, metric: r2, min: {near}}}\n" for i in range(3))
    assert certified(evidence, clear, stepped).confidence_each == pytest.approx(0.95)
    outcome = certified(evidence, clear + open_ones, stepped)
    assert [result.verdict for result in outcome.results] == ["PASS", *["INCONCLUSIVE"] * 3]
    assert (outcome.comparisons, outcome.confidence_each) == (4, pytest.approx(1 - 0.05 / 4))
    parse_certificate(certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z"))


def test_false_failures_of_fault_free_models_stay_under_alpha() -> None:
    failed = sum(bool(faults(task_evidence(task, seed, days=12, rows=30))) for task in TASKS for seed in range(20))
    assert failed <= 4


def test_labels_of_no_class_and_champions_of_another_task_are_errors() -> None:
    evidence = task_evidence("multiclass")
    with pytest.raises(EvidenceInvalidError, match="labels of the hold-out are no classes"):
        replace(evidence.holdout, labels=evidence.holdout.labels + 1)
    other = Champion(root="sha256:" + "c" * 64, answers=task_evidence("regression").holdout.answers)
    with pytest.raises(EvidenceInvalidError, match="the champion does another task"):
        replace(evidence, champion=other)
    with pytest.raises(EvidenceInvalidError, match="id of the hold-out has another length"):
        replace(evidence.holdout, extra={"id": np.array(["a"], dtype=object)})
