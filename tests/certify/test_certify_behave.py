"""Planted faults of behaviour: each model has one fault, and exactly the check of that fault fails. The twin passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from certify_behave import INPUTS, Model, answer_by, fault_free, make_behaving, replace_input, slope
from certify_evidence import ROOT
from certify_real import declared

from mintage.certify.answers import Answers, Task
from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Champion, Evidence
from mintage.certify.policy import check_task, parse_policy
from mintage.certify.served import Columns, Served
from mintage.errors import PolicyUnfitError

ANY_TASK = b"""
model: late
owner: risk@example.org
statistics: {seed: 11, draws: 1000}
requirements:
  - {id: slices, check: S1}
  - {id: invariance, check: B1, irrelevant: [ticket]}
  - {id: edges, check: B4}
  - {id: noise, check: R1}
  - {id: missing, check: R2, shares: [0.1], max_loss: LOSS}
  - {id: batch, check: L5}
  - {id: again, check: V1}
  - {id: formats, check: Z1}
  - {id: coverage, check: C2}
  - {id: worst, check: R3, max: WORST}
"""
CLASSES_ONLY = b"""  - {id: calibration, check: C1, max_error: 0.08}
  - {id: flips, check: F4}
"""
ONLY_SLICES = b"""
model: late
owner: risk@example.org
requirements:
  - {id: slices, check: S1}
"""
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


def results(evidence: Evidence) -> dict[str, CheckResult]:
    numbers = evidence.task == "regression"
    text = (ANY_TASK if numbers else ANY_TASK + CLASSES_ONLY).replace(b"LOSS", b"0.15" if numbers else b"0.05")
    if evidence.task != "multiclass":
        text += b"  - {id: monotone, check: B2}\n"
    text = text.replace(b"WORST", b"5" if numbers else b"12")
    policy = parse_policy(text, where="policies/late.yaml")
    return {result.requirement: result for result in certify(evidence, policy).results}


def failing(evidence: Evidence) -> set[str]:
    found = results(evidence)
    assert not [result.reason for result in found.values() if "broke off" in result.reason]
    return {name for name, result in found.items() if result.verdict == "FAIL"}


@pytest.mark.parametrize("task", TASKS)
def test_a_fault_free_model_passes_every_check_of_behaviour(task: Task) -> None:
    verdicts = {name: result.verdict for name, result in results(make_behaving(task)).items()}
    for name in ("flips", "monotone"):
        assert verdicts.pop(name, "NOT_APPLICABLE") == "NOT_APPLICABLE"
    assert set(verdicts.values()) == {"PASS"}, verdicts


@pytest.mark.parametrize("task", TASKS)
def test_errors_in_a_slice_of_two_conditions_fail_only_weak_slices_which_name_it(task: Task) -> None:
    evidence = make_behaving(task, rows=6000)
    split, rng = evidence.holdout, np.random.default_rng(5)
    weak = (split.columns["kind"] == "y") & (split.columns["c"] == 3)
    if task == "regression":
        labels = np.where(weak, split.labels + rng.normal(size=split.rows) * 6, split.labels)
    else:
        wrong = (split.answers.labels + 1) % (2 if task == "binary" else 3)
        labels = np.where(weak & (rng.random(split.rows) < 0.7), wrong, split.labels)
    found = results(replace(evidence, holdout=replace(split, labels=labels)))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"slices"}
    assert found["slices"].reason.startswith("1 weak slice confirmed; "), found["slices"].reason
    assert "c = 3 and kind = y: " in found["slices"].reason


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_fault_free_models_have_weak_slices_no_more_often_than_alpha_allows(task: Task, grouped: bool) -> None:
    policy = parse_policy(ONLY_SLICES, where="policies/late.yaml")
    audits = [certify(make_behaving(task, seed=100 + seed, grouped=grouped), policy) for seed in range(20)]
    assert sum(outcome.verdict == "FAIL" for outcome in audits) <= 1
    assert sum(outcome.verdict == "PASS" for outcome in audits) >= 10


def test_compared_with_all_rows_a_slice_in_which_the_model_is_rightly_less_sure_is_told() -> None:
    policy = parse_policy(ONLY_SLICES.replace(b"S1", b"S1, compare: all"), where="policies/late.yaml")
    told = certify(make_behaving("multiclass", rows=8000), policy)
    assert told.verdict == "FAIL" and "times as many as of all rows" in told.sentence
    policy = parse_policy(ONLY_SLICES, where="policies/late.yaml")
    assert certify(make_behaving("multiclass", rows=8000), policy).verdict == "PASS"


def test_days_that_differ_are_no_weak_slice() -> None:
    evidence = make_behaving("binary", grouped=True)
    split = evidence.holdout
    bad = np.isin(np.array([int(name.split("-")[-1]) for name in split.groups.tolist()]), range(0, 100, 7))  # type: ignore[union-attr]
    labels = np.where(bad & (np.random.default_rng(1).random(split.rows) < 0.5), 1 - split.labels, split.labels)
    result = results(replace(evidence, holdout=replace(split, labels=labels)))["slices"]
    assert result.verdict != "FAIL", result.reason


def test_too_few_rows_to_find_a_planted_slice_leave_weak_slices_open() -> None:
    result = results(make_behaving("binary", rows=150))["slices"]
    assert result.verdict == "INCONCLUSIVE"
    assert "planted ones" in result.reason and "more rows would tell" in result.reason


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_that_are_too_sure_fail_only_calibration(task: Task) -> None:
    found = results(make_behaving(task, model=lambda columns: answer_by(task, 3 * slope(columns))))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"calibration"}
    assert found["calibration"].details["slope"] == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.parametrize("task", TASKS)
def test_answers_scaled_by_their_batch_fail_only_batch_leakage(task: Task) -> None:
    def centred(columns: Columns) -> Answers:
        raw = slope(columns)
        return answer_by(task, raw - 0.01 * np.tanh(len(raw) / 100) * (len(raw) > 1))

    found = results(make_behaving(task, model=centred))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"batch"}
    assert found["batch"].estimate == 300


@pytest.mark.parametrize("task", TASKS)
def test_answers_that_depend_on_the_ticket_fail_only_invariance(task: Task) -> None:
    def by_ticket(columns: Columns) -> Answers:
        return answer_by(task, slope(columns) + 0.02 * (np.nan_to_num(columns["ticket"]) % 2))

    found = results(make_behaving(task, model=by_ticket))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"invariance"}
    assert "most moved by ticket" in found["invariance"].reason


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("fault", ["a text never seen", "two missing values"])
def test_a_model_that_breaks_on_an_edge_row_fails_only_edge_cases(task: Task, fault: str) -> None:
    def fragile(columns: Columns) -> Answers:
        if fault == "a text never seen" and "never-seen-before" in columns["kind"].tolist():
            raise KeyError("never-seen-before")
        raw = slope(columns)
        if fault == "two missing values":
            raw = np.where(np.isnan(columns["b"]) & np.isnan(columns["c"]), np.nan, raw)
        return answer_by(task, raw)

    found = results(make_behaving(task, model=fragile))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"edges"}
    assert ("KeyError" if fault == "a text never seen" else "EvidenceInvalidError") in str(
        found["edges"].details["broken by"]
    )


def steep(task: Task) -> Model:
    """As good as the true model where rows are as they were, but a digit of b far behind the point turns the answer."""

    def model(columns: Columns) -> Answers:
        cut = np.round(columns["b"].astype(np.float64), 9) == columns["b"]
        return answer_by(task, np.where(cut | np.isnan(columns["b"]), slope(columns), -slope(columns)))

    return model


@pytest.mark.parametrize("task", TASKS)
def test_answers_that_turn_with_a_little_noise_fail_only_noise(task: Task) -> None:
    evidence = make_behaving(task)
    rounded = {
        split.name: {**split.columns, "b": np.round(split.columns["b"], 6)}
        for split in (evidence.train, evidence.holdout)
    }
    model = steep(task)
    evidence = replace(
        evidence,
        train=replace(evidence.train, columns=rounded["training"]),
        holdout=replace(evidence.holdout, columns=rounded["hold-out"], answers=model(rounded["hold-out"])),
        served=Served(model),
    )
    assert failing(evidence) == {"noise"}


@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_takes_missing_for_huge_fails_only_missing(task: Task) -> None:
    def careless(columns: Columns) -> Answers:
        filled = {**columns, "b": np.where(np.isnan(columns["b"]), -60.0, columns["b"])}
        return answer_by(task, slope(filled))

    found = results(make_behaving(task, model=careless))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"missing"}, found["missing"].reason
    assert found["missing"].details["loss, b missing"] > 0.1  # type: ignore[operator]


def test_noise_that_whole_numbers_swallow_shows_nothing_and_leaves_noise_open() -> None:
    columns = {"c": np.arange(4000) % 3 + 0.0}

    def model(asked: Columns) -> Answers:
        return Answers(task="binary", values=asked["c"] / 3)

    clean = make_behaving("binary")
    train, holdout = (replace(part, columns=columns, answers=model(columns)) for part in (clean.train, clean.holdout))
    evidence = replace(clean, train=train, holdout=holdout, served=Served(model))
    policy = parse_policy(ONLY_SLICES.replace(b"slices, check: S1", b"noise, check: R1"), where="policies/late.yaml")
    (result,) = certify(evidence, policy).results
    assert result.verdict == "INCONCLUSIVE"
    assert "1 % noise, 5 % noise changes no row of the hold-out" in result.reason


@pytest.mark.parametrize("task", TASKS)
def test_random_answers_fail_only_determinism(task: Task) -> None:
    class Drifting:
        """Each call is a little off the last."""

        def __init__(self) -> None:
            self.calls = 0

        def __call__(self, columns: Columns) -> Answers:
            return answer_by(task, slope(columns) + (1e-4 if self.calls > 0 else 0.0))

    model = Drifting()
    evidence = make_behaving(task, model=model)

    def reload() -> Callable[[Columns], Answers]:
        model.calls += 1
        return model

    found = results(replace(evidence, served=Served(fault_free(task), reload=reload)))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"again"}
    assert found["again"].details["asked twice"] == 0


def test_a_file_of_no_known_format_fails_only_formats() -> None:
    found = results(make_behaving("binary", formats={"model.onnx": "onnx", "extra.pkl": None}))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"formats"}
    assert "extra.pkl" in found["formats"].reason


@pytest.mark.parametrize("grouped", [False, True])
def test_rows_that_the_champion_had_right_fail_only_flips(grouped: bool) -> None:
    evidence = make_behaving("binary", grouped=grouped)
    split = evidence.holdout
    twin = Champion(root=ROOT, answers=split.answers)
    other = np.where(np.random.default_rng(2).random(split.rows) < 0.1, 1 - split.scores, split.scores)
    worse = Champion(root=ROOT, answers=split.answers.of(other))
    better = Champion(root=ROOT, answers=split.answers.of(np.where(split.labels == 1, 0.9, 0.1)))
    assert failing(replace(evidence, champion=better)) == {"flips"}
    assert failing(replace(evidence, champion=worse)) == {"flips"}
    same = results(replace(evidence, champion=twin))["flips"]
    assert (same.verdict, same.details["negative flips"]) == ("INCONCLUSIVE" if grouped else "PASS", 0)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_sign_broken_in_one_corner_fails_only_monotone(task: Task) -> None:
    def broken(columns: Columns) -> Answers:
        raw = slope(columns)
        corner = (columns["c"] == 9) & (np.abs(columns["b"]) < 1.5)
        return answer_by(task, np.where(corner, raw - 0.2, raw))

    evidence = make_behaving(task, model=broken)
    inputs = {
        **INPUTS,
        "c": replace_input("c", monotone="increasing"),
        "a": replace_input("a", monotone="increasing"),
    }
    found = results(replace(evidence, spec=declared(evidence.train, inputs=inputs)))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"monotone"}
    assert "most by c" in found["monotone"].reason and found["monotone"].details["wrong, a"] == 0
    clean = make_behaving(task)
    twin = results(replace(clean, spec=declared(clean.train, inputs=inputs)))["monotone"]
    assert twin.verdict == "PASS"
    assert 1700 < (twin.rows or 0) < 2000


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_validation_rows_that_flatter_the_model_fail_only_coverage(task: Task, grouped: bool) -> None:
    evidence = make_behaving(task, grouped=grouped)
    assert evidence.validation is not None
    split = evidence.validation
    best = answer_by(task, slope(split.columns)).values if task == "regression" else split.answers.labels
    easy = replace(split, labels=np.where(np.arange(split.rows) % 2 == 0, best, split.labels))
    assert failing(replace(evidence, validation=easy)) == {"coverage"}
    assert results(replace(evidence, validation=None))["coverage"].verdict == "INCONCLUSIVE"


def test_a_few_rows_that_are_far_off_fail_only_the_worst_rows() -> None:
    evidence = make_behaving("regression")
    split = evidence.holdout
    far = np.random.default_rng(3).random(split.rows) < 0.03
    found = results(replace(evidence, holdout=replace(split, labels=np.where(far, split.labels + 9, split.labels))))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} == {"worst"}


def test_the_worst_tenth_is_the_mean_of_the_largest_losses() -> None:
    evidence = make_behaving("regression", rows=1000)
    split = evidence.holdout
    losses = np.sort(np.abs(split.labels - split.answers.values))
    assert results(evidence)["worst"].estimate == pytest.approx(losses[-100:].mean(), rel=0.01)


def test_checks_of_labels_and_probabilities_are_refused_for_a_regression_before_any_runs() -> None:
    for line in (b"  - {id: calibration, check: C1}\n", b"  - {id: flips, check: F4}\n"):
        with pytest.raises(PolicyUnfitError, match="which a regression has not"):
            check_task(
                parse_policy(
                    ANY_TASK.replace(b"LOSS", b"1").replace(b"WORST", b"9") + line, where="policies/late.yaml"
                ),
                "regression",
            )


def test_without_a_model_to_ask_what_needs_one_is_inconclusive() -> None:
    evidence: Any = replace(make_behaving("binary"), served=None, formats={})
    found = results(evidence)
    needing = ("invariance", "edges", "noise", "missing", "batch", "again", "formats")
    assert {found[name].verdict for name in needing} == {"INCONCLUSIVE"}
    assert found["slices"].verdict == "PASS"
