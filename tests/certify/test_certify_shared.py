"""Rows of the hold-out that are in training: copies fail, rows that are equal by chance do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certify_real import TASKS, real_evidence, results, taken

from mintage.certify.answers import Answers
from mintage.certify.equal_rows import repeated_rows, row_codes
from mintage.certify.evidence import Evidence, Split
from mintage.stats.proportions import newcombe

LINE = "id: shared, check: L1"


def coarse(seed: int, *, copied: int = 0, levels: int = 4, rows: int = 2000) -> Evidence:
    """Three columns of few values, rows drawn alike for both splits; ``copied`` hold-out rows are training's."""
    rng = np.random.default_rng(seed)

    def split(name: str, count: int) -> Split:
        columns = {key: rng.integers(0, levels, count).astype(float) for key in "abc"}
        score = 1 / (1 + np.exp(2 - columns["a"]))
        labels = (rng.random(count) < score).astype(int)
        return Split(name=name, columns=columns, labels=labels, answers=Answers(task="binary", values=score))

    train, holdout = split("training", 2 * rows), split("hold-out", rows)
    if copied:
        columns = {
            key: np.concatenate([train.columns[key][:copied], holdout.columns[key][copied:]]) for key in train.columns
        }
        labels = np.concatenate([train.labels[:copied], holdout.labels[copied:]])
        holdout = replace(holdout, columns=columns, labels=labels)
    return Evidence(model="real", root="sha256:" + "a" * 64, domain="x", train=train, holdout=holdout)


def test_rows_that_are_equal_by_chance_pass_and_the_reason_says_so() -> None:
    result = results(coarse(1), LINE)["shared"]
    assert result.verdict == "PASS" and result.details["by features"] == 2000
    assert "beyond chance" in result.reason and "100.0% of training repeats itself too" in result.reason
    assert result.interval is not None and result.interval.confidence < 1


def test_few_rows_that_are_equal_by_chance_pass_in_all_but_few_of_fault_free_models() -> None:
    found = [results(coarse(seed, levels=40), LINE)["shared"] for seed in range(40)]
    assert any("beyond chance" in result.reason for result in found)
    assert sum(result.verdict != "PASS" for result in found) <= 2


@pytest.mark.parametrize("copied", [10, 100, 400])
def test_copies_fail_where_training_seldom_repeats_itself(copied: int) -> None:
    result = results(coarse(1, copied=copied, levels=400), LINE)["shared"]
    assert result.verdict == "FAIL" and result.estimate == copied / 2000


def test_copies_fail_where_few_rows_are_equal_by_chance() -> None:
    assert results(coarse(2, copied=100, levels=40), LINE)["shared"].verdict == "FAIL"


def test_rows_of_one_group_that_repeat_do_not_explain_those_that_are_shared() -> None:
    evidence = coarse(3, copied=10, levels=400)
    train = evidence.train
    doubled = taken(train, np.repeat(np.arange(train.rows), 2))
    doubled = replace(doubled, groups=np.repeat(np.arange(train.rows), 2))
    holdout = replace(evidence.holdout, groups=np.arange(evidence.holdout.rows) + 10_000)
    assert results(replace(evidence, train=doubled, holdout=holdout), LINE)["shared"].verdict == "FAIL"


def test_shared_rows_that_alone_are_answered_well_leave_it_open() -> None:
    rng = np.random.default_rng(0)
    evidence = coarse(4, levels=12)
    shared = row_codes(evidence.train, evidence.holdout, label=False)[1] >= 0
    labels = evidence.holdout.labels
    scores = np.where(shared, np.where(labels == 1, 0.9, 0.1), rng.random(len(labels)))
    holdout = replace(evidence.holdout, answers=Answers(task="binary", values=scores))
    result = results(replace(evidence, holdout=holdout), LINE)["shared"]
    assert result.verdict == "INCONCLUSIVE" and "chance, or learnt by heart" in result.reason


@pytest.mark.parametrize("task", TASKS)
def test_one_copied_row_in_two_hundred_of_real_data_fails_and_none_passes(task: str) -> None:
    pytest.importorskip("sklearn")
    evidence = real_evidence(task)
    assert results(evidence, LINE)["shared"].verdict == "PASS"
    columns = {name: column.copy() for name, column in evidence.holdout.columns.items()}
    for name, column in columns.items():
        column[0] = evidence.train.columns[name][0]
    found = results(replace(evidence, holdout=replace(evidence.holdout, columns=columns)), LINE)["shared"]
    assert found.verdict == "FAIL" and found.details["by features"] == 1


def test_missing_equals_missing_and_a_text_that_training_does_not_have_is_like_none() -> None:
    def split(name: str, number: list[float], text: list[str | None]) -> Split:
        answers = Answers(task="binary", values=np.full(len(number), 0.5))
        columns = {"n": np.array(number), "t": np.array(text, dtype=object)}
        return Split(name=name, columns=columns, labels=np.zeros(len(number), dtype=int), answers=answers)

    train = split("training", [np.nan, -0.0, 1.0, -0.0], [None, "x", "x", "x"])
    own, asked = row_codes(train, split("hold-out", [np.nan, 0.0, 1.0], [None, "x", "z"]), label=False)
    assert (own.tolist(), asked.tolist()) == ([0, 1, 2, 1], [0, 1, -1])
    assert repeated_rows(own, None).tolist() == [False, True, False, True]


def test_newcombes_interval_is_that_of_his_paper() -> None:
    found = newcombe(56, 70, 48, 80)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert round(newcombe(10, 10, 0, 10).low, 4) == 0.6075
