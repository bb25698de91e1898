"""Inputs that give the label away, and segments with too few rows to say anything of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from certify_real import TASKS, declared, real_evidence, results, taken, with_columns
from numpy.typing import NDArray

from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.evidence import Evidence, Split
from mintage.certify.policy import parse_policy
from mintage.certify.single import answers_of
from mintage.stats.auc import auc

pytest.importorskip("sklearn")
LINE = "id: target, check: L4, max: 0.97"
BESIDE = (LINE, "id: domain, check: D1, max_share: 0.15", "id: shared, check: L1", "id: entities, check: L2")


def failed(evidence: Evidence) -> set[str]:
    # of 133 wines even an AUC of 1 is known to no better than 0.91
    lines = [line.replace("0.97", "0.9") if evidence.task == "multiclass" else line for line in BESIDE]
    return {name for name, result in results(evidence, *lines).items() if result.verdict == "FAIL"}


def planted(evidence: Evidence, make: Any) -> Evidence:
    """The evidence with an input ``late`` that ``make`` gives for the labels of each split."""

    def change(split: Split) -> dict[str, NDArray[Any]]:
        return {"late": make(split, np.random.default_rng(split.rows))}

    found = with_columns(evidence, change, splits=("train", "holdout"))
    return replace(found, spec=declared(found.train, found.holdout))


def after_the_outcome(split: Split, rng: np.random.Generator) -> NDArray[Any]:
    return split.labels + 0.01 * np.std(split.labels) * rng.normal(size=split.rows)


def null_flag(split: Split, rng: np.random.Generator) -> NDArray[Any]:
    hit = split.labels > 0
    return np.where(hit, rng.normal(size=split.rows), np.nan)


def as_text(split: Split, rng: np.random.Generator) -> NDArray[Any]:
    return np.array([f"state {int(label)}" for label in split.labels], dtype=object)


@pytest.mark.parametrize("task", TASKS)
def test_a_column_from_after_the_outcome_fails_only_target_leakage(task: str) -> None:
    evidence = real_evidence(task)
    assert results(evidence, LINE)["target"].verdict != "FAIL"
    faulty = planted(evidence, after_the_outcome)
    assert failed(faulty) - failed(evidence) == {"target"}
    result = results(faulty, LINE)["target"]
    assert "of late alone" in result.reason
    assert result.details["r2 of late" if task == "regression" else "roc_auc of late"] == pytest.approx(result.estimate)


@pytest.mark.parametrize("make", [null_flag, as_text])
def test_what_is_missing_and_a_text_may_give_the_label_away_too(make: Any) -> None:
    faulty = planted(real_evidence("binary"), make)
    result = results(faulty, LINE)["target"]
    assert result.verdict == "FAIL" and "late" in result.title
    if make is null_flag:
        assert result.details["roc_auc of late is missing"] == 1.0


def test_an_id_gives_nothing_away_and_the_hold_out_is_not_looked_at() -> None:
    evidence = planted(
        real_evidence("binary"), lambda split, rng: np.array([f"id {n}" for n in range(split.rows)], object)
    )
    details = results(evidence, LINE)["target"].details
    score = details["roc_auc of late"]
    assert isinstance(score, float) and 0.4 < score < 0.6
    holdout = replace(evidence.holdout, labels=1 - evidence.holdout.labels)
    assert results(replace(evidence, holdout=holdout), LINE)["target"].details == details


def test_an_input_that_is_known_to_be_honest_can_be_allowed() -> None:
    faulty = planted(real_evidence("binary"), after_the_outcome)
    assert results(faulty, f"{LINE}, allowed: [late]")["target"].verdict != "FAIL"
    names = ", ".join(faulty.train.columns)
    result = results(faulty, f"{LINE}, allowed: [{names}]")["target"]
    assert result.verdict == "INCONCLUSIVE" and "all of them are allowed" in result.reason


def test_rows_too_few_to_find_the_label_itself_leave_it_open() -> None:
    evidence = real_evidence("regression")
    assert results(evidence, LINE)["target"].details["r2 of the label, planted"] > 0.97  # type: ignore[operator]
    few = replace(evidence, train=taken(evidence.train, np.arange(24)))
    result = results(few, LINE)["target"]
    assert result.verdict == "INCONCLUSIVE", result.reason
    assert "the label itself, planted as an input, was not found either" in result.reason


def test_noise_alone_is_worth_nothing_out_of_fold() -> None:
    rng = np.random.default_rng(0)
    labels, folds = rng.integers(0, 2, 2000), np.arange(2000) % 5
    found = [
        auc(labels, answers_of(rng.normal(size=2000), labels, task="binary", classes=2, folds=folds)) for _ in range(20)
    ]
    assert abs(np.mean(found) - 0.5) < 0.02 and max(found) < 0.56


def test_segments_with_rows_enough_pass_and_others_are_open_and_name_the_smallest() -> None:
    evidence = planted(
        real_evidence("binary"), lambda split, rng: np.array(["a", "b"], object)[np.arange(split.rows) % 8 // 7]
    )
    line = "id: support, check: D3, columns: [late], min_rows: 10"
    assert results(evidence, line)["support"].verdict == "PASS"
    result = results(evidence, line.replace("10", "100"))["support"]
    assert result.verdict == "INCONCLUSIVE" and "late b 17" in result.reason
    assert (result.needed, result.needed_unit) == (842, "rows")
    first = next(iter(evidence.train.columns))
    pairs = results(evidence, f"id: support, check: D3, columns: [late, {first}], min_rows: 10")["support"]
    assert pairs.verdict == "INCONCLUSIVE" and " and " in pairs.reason
    text = f"model: real\nowner: x\nrequirements:\n  - {{{line.replace('10', '100')}}}\n"
    outcome = certify(evidence, parse_policy(text.encode(), where="p"))
    statement = certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")
    assert parse_certificate(statement).verdict == "INCONCLUSIVE"


def test_segments_are_the_protected_inputs_without_a_name_and_a_declared_one_without_rows_is_open() -> None:
    evidence = real_evidence("binary")
    assert results(evidence, "id: support, check: D3")["support"].verdict == "NOT_APPLICABLE"
    assert results(evidence, "id: support, check: D3, columns: [x]")["support"].reason == "x is no input of the model"
    evidence = planted(evidence, lambda split, rng: np.full(split.rows, "a", dtype=object))
    assert evidence.spec is not None
    from mintage.repo.modelfile import InputSpec

    late = InputSpec(type="string", categories=("a", "z"), protected=True)
    spec = declared(evidence.train, inputs={**evidence.spec.inputs, "late": late})
    result = results(replace(evidence, spec=spec), "id: support, check: D3, min_rows: 5")["support"]
    assert result.verdict == "INCONCLUSIVE" and "late z 0" in result.reason and result.needed is None
