"""What only a pipeline can answer: retrained with exchanged labels, on halves of the rows, without an input, as is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certify_real import HEAD, TASKS, results
from certify_retrain import (
    TrainedHere,
    encoded_on_all,
    fitted_on_all,
    honest,
    labels_from,
    of_few_rows,
    piped_evidence,
    real_table,
    shaken,
)

from mintage.certify.answers import Task
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.evidence import Evidence
from mintage.certify.policy import parse_policy
from mintage.certify.retrained_metric import skill_metric

pytest.importorskip("sklearn")
SCRAMBLE, SPREAD, REBUILD = "id: scramble, check: F6", "id: spread, check: F7", "id: rebuild, check: V2"
BESIDE = (SCRAMBLE, f"{SPREAD}, precision: 0.5", REBUILD, "id: shared, check: L1", "id: parity, check: Z3")


def failed(evidence: Evidence, *lines: str) -> set[str]:
    return {name for name, result in results(evidence, *(lines or BESIDE)).items() if result.verdict == "FAIL"}


@pytest.mark.parametrize("task", TASKS)
def test_an_honest_pipeline_passes_with_exchanged_labels_and_when_it_is_rebuilt(task: Task) -> None:
    found = results(piped_evidence(task, honest), *BESIDE)
    assert {name: item.verdict for name, item in found.items()} == dict.fromkeys(found, "PASS")
    result = found["scramble"]
    assert "by the recorded labels" in result.reason and "by the exchanged labels" in result.reason
    assert "; the model itself 0." in result.reason and result.check == "F6"
    assert sum("by the exchanged labels" in name for name in result.details) == 5
    assert found["rebuild"].estimate == 0 and "bit for bit" in found["rebuild"].reason
    assert "each on the hold-out that its pipeline made" in found["spread"].reason


@pytest.mark.parametrize("task", TASKS)
def test_a_pipeline_that_takes_its_labels_from_a_second_file_fails_only_the_scramble(task: Task) -> None:
    evidence = piped_evidence(task, labels_from(real_table(task)[1]))
    lines = [line for line in BESIDE if line[4:10] != "spread"]  # halves of the rows have no second file here
    assert failed(evidence, *lines) == {"scramble"}
    result = results(evidence, SCRAMBLE)["scramble"]
    assert result.estimate is not None and result.gate is not None and result.estimate > result.gate.threshold + 0.1


@pytest.mark.parametrize("task", TASKS)
def test_a_pipeline_that_trains_on_the_hold_out_fails_only_the_scramble(task: Task) -> None:
    assert failed(piped_evidence(task, fitted_on_all)) == {"scramble"}


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_an_id_encoded_by_the_labels_of_all_rows_fails_only_the_scramble(task: Task) -> None:
    evidence = piped_evidence(task, encoded_on_all)
    lines = [line for line in BESIDE if line[4:10] != "spread"]  # halves of the rows are encoded otherwise
    assert failed(evidence, *lines) == {"scramble"}


@pytest.mark.parametrize("task", TASKS)
def test_a_trainer_that_hangs_on_few_rows_fails_the_spread_and_its_stable_twin_does_not(task: Task) -> None:
    line = f"{SPREAD}, precision: 0.02"
    assert failed(piped_evidence(task, of_few_rows), SCRAMBLE, line) == {"spread"}
    stable = results(piped_evidence(task, honest), f"{SPREAD}, precision: 0.5")["spread"]
    assert stable.verdict == "PASS" and stable.interval is not None and stable.estimate is not None
    assert stable.interval.low < stable.estimate < stable.interval.high <= 0.25


def test_the_interval_of_the_spread_covers_the_true_one() -> None:
    from mintage.certify.checks.f7 import _interval

    rng = np.random.default_rng(5)
    samples = rng.normal(scale=2.0, size=(2000, 6)).std(axis=1, ddof=1)
    covered = np.mean([_interval(float(spread), 6, 0.95).contains(2.0) for spread in samples])
    assert 0.935 < covered < 0.965


def test_a_seed_that_changes_nothing_is_told() -> None:
    result = results(piped_evidence("binary", honest), f"{SPREAD}, vary: seed")["spread"]
    assert result.verdict == "PASS" and result.estimate == 0 and "the seed changes nothing here" in result.reason
    moved = results(piped_evidence("binary", of_few_rows), f"{SPREAD}, vary: seed, precision: 0.005")["spread"]
    assert moved.verdict == "FAIL" and moved.estimate and "with other seeds" in moved.reason


@pytest.mark.parametrize("task", TASKS)
def test_a_rebuild_of_other_bytes_passes_if_its_metric_is_as_good_and_says_so(task: Task) -> None:
    result = results(piped_evidence(task, shaken), REBUILD)["rebuild"]
    assert result.verdict == "PASS" and result.estimate is not None and 0 <= result.estimate < 1
    assert "not bit-identical" in result.reason and result.details["bit-identical"] is False


def test_a_rebuild_that_is_much_worse_fails() -> None:
    found = piped_evidence("binary", honest)
    assert isinstance(found.retraining, TrainedHere)
    found.retraining.pipeline = of_few_rows
    noise = np.random.default_rng(2).normal(size=found.retraining.table.shape)
    found.retraining.table = noise  # the raw data are gone, and others are in their place
    result = results(found, REBUILD)["rebuild"]
    assert result.verdict == "FAIL" and result.estimate is not None and result.estimate > 3


def test_what_a_model_loses_without_its_strongest_input_is_told_and_decides_nothing() -> None:
    evidence = piped_evidence("binary", honest)
    line = "id: target, check: L4, max: 1"
    plain, with_loss = results(evidence, line)["target"], results(evidence, f"{line}, retrain: true")["target"]
    assert with_loss.verdict == plain.verdict and with_loss.estimate == plain.estimate
    (told,) = set(with_loss.details) - set(plain.details)
    assert told.startswith("roc_auc retrained without x") and "retrained without x" in with_loss.reason
    stopped = replace(evidence, retraining=None)
    result = results(stopped, f"{line}, retrain: true")["target"]
    assert result.verdict == "INCONCLUSIVE" and "not known how to train this model again" in result.reason


@pytest.mark.parametrize("line", [SCRAMBLE, SPREAD, REBUILD])
def test_without_a_pipeline_the_verdict_is_open_and_says_why(line: str) -> None:
    (result,) = results(replace(piped_evidence("binary", honest), retraining=None), line).values()
    assert result.verdict == "INCONCLUSIVE" and "it is not known how to train this model again" in result.reason
    assert "mintage certify" in result.reason and result.estimate is None


def test_a_budget_that_ends_leaves_the_verdict_open_and_says_how_many_were_done() -> None:
    evidence = piped_evidence("binary", fitted_on_all)
    assert isinstance(evidence.retraining, TrainedHere)
    evidence.retraining.most = 2
    result = results(evidence, SCRAMBLE)["scramble"]
    assert result.verdict == "INCONCLUSIVE" and "2 of 5 retrainings were done: the time was over" in result.reason
    assert "raise `budget_s`" in result.reason and result.details["retrainings done"] == 2


def test_a_hold_out_that_cannot_tell_the_model_from_chance_cannot_clear_its_pipeline() -> None:
    rng = np.random.default_rng(0)
    table, labels = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    result = results(piped_evidence("binary", honest, table=table, labels=labels), SCRAMBLE)["scramble"]
    assert result.verdict == "INCONCLUSIVE" and "a leak would not be either" in result.reason


def test_one_strong_column_that_orders_rows_by_luck_is_no_leak() -> None:
    """Any slope orders the recorded hold-out well or badly, by its sign alone: no retraining tells by itself."""
    rng = np.random.default_rng(3)
    column = rng.normal(size=600)
    labels = (rng.random(600) < 1 / (1 + np.exp(-3 * column))).astype(int)
    verdicts = []
    for seed in range(12):
        evidence = piped_evidence("binary", honest, table=column[:, None], labels=labels)
        text = f"{HEAD.replace('seed: 3', f'seed: {seed}')}  - {{{SCRAMBLE}}}\n"
        (result,) = certify(evidence, parse_policy(text.encode(), where="p")).results
        verdicts.append(result.verdict)
        by_recorded = [value for name, value in result.details.items() if "recorded" in name]
        assert max(abs(float(value or 0) - 0.5) for value in by_recorded) > 0.3
    assert verdicts.count("FAIL") <= 1


def test_correlation_is_that_of_numpy_and_nothing_for_one_answer_to_all() -> None:
    evidence = piped_evidence("regression", honest)
    metric, split = skill_metric("regression"), evidence.holdout
    assert metric.value(split.labels, split.answers) == pytest.approx(
        np.corrcoef(split.labels, split.answers.values)[0, 1]
    )
    assert metric.value(split.labels, split.answers.of(np.full(split.rows, 3.0))) == 0


def test_results_of_retrainings_are_the_same_for_one_seed_and_read_back_from_a_certificate() -> None:
    policy = parse_policy(f"{HEAD}  - {{{SCRAMBLE}}}\n  - {{{REBUILD}}}\n".encode(), where="p")
    first, second = (certify(piped_evidence("binary", honest), policy) for _ in range(2))
    assert first.results == second.results
    statement = certificate_statement(first, files={}, issued="2026-11-01T00:00:00Z")
    assert parse_certificate(statement).verdict == "PASS"
