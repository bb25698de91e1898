"""Planted faults: each model has one fault, and the certificate names that one. Beside them: the fault-free model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certify_evidence import (
    DOMAIN,
    POLICY,
    ROOT,
    Watcher,
    binary,
    latency_run,
    make_evidence,
    with_copied_rows,
    with_scores,
)

from mintage.certify.certify import Outcome, certify
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Champion, Evidence
from mintage.certify.latency import CallProbe, RecordedLatency
from mintage.certify.order import OrderFacts
from mintage.certify.policy import parse_policy
from mintage.errors import DomainMismatchError, PolicyForAnotherModelError

POLICY_OF_LATE = parse_policy(POLICY, where="policies/late.yaml")


def judged(evidence: Evidence) -> dict[str, CheckResult]:
    return {result.requirement: result for result in certify(evidence, POLICY_OF_LATE).results}


def faults(evidence: Evidence) -> set[str]:
    return {name for name, result in judged(evidence).items() if result.verdict == "FAIL"}


def certified(evidence: Evidence) -> Outcome:
    return certify(evidence, POLICY_OF_LATE)


def test_a_fault_free_model_passes_and_the_sentence_says_what_is_not_proven() -> None:
    outcome = certified(make_evidence())
    verdicts = {result.requirement: result.verdict for result in outcome.results}
    assert verdicts.pop("champion") == "NOT_APPLICABLE"
    assert verdicts.pop("order") == "INCONCLUSIVE"
    assert set(verdicts.values()) == {"PASS"}
    assert outcome.verdict == "PASS"
    assert outcome.sentence.startswith("late may be released: 8 of 9 required checks pass, 1 not applicable; AUC 0.8")
    assert outcome.sentence.endswith("order INCONCLUSIVE (order not proven).")


def test_a_majority_predictor_is_no_better_than_the_prior() -> None:
    evidence = make_evidence()
    rate = float(evidence.train.labels.mean())
    constant = with_scores(
        evidence, train=np.full(evidence.train.rows, rate), holdout=np.full(evidence.holdout.rows, rate)
    )
    found = faults(constant)
    assert "trivial" in found
    assert found <= {"trivial", "auc", "loss"}
    assert certified(constant).verdict == "FAIL"


def test_a_model_of_one_feature_is_no_better_than_the_best_trivial_one() -> None:
    evidence = make_evidence()
    scores = [1 / (1 + np.exp(-split.columns["a"])) for split in (evidence.train, evidence.holdout)]
    result = judged(with_scores(evidence, train=scores[0], holdout=scores[1]))["trivial"]
    assert result.verdict == "FAIL"
    assert result.details["best"] in ("tree", "one_feature")


@pytest.mark.parametrize("share", [0.005, 0.05, 0.2])
def test_copied_rows_fail_only_the_check_of_shared_rows(share: float) -> None:
    evidence = with_copied_rows(make_evidence(), share)
    assert faults(evidence) == {"shared"}
    result = judged(evidence)["shared"]
    assert result.details["by features"] == round(share * evidence.holdout.rows)
    assert "AUC without them" in result.reason


def test_an_overfit_forest_fails_only_the_gap() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    evidence = make_evidence(rows=300)
    forest = ensemble.RandomForestClassifier(n_estimators=60, random_state=1)
    tables = [
        np.column_stack([split.columns["a"], split.columns["b"], split.columns["kind"] == "x"])
        for split in (evidence.train, evidence.holdout)
    ]
    forest.fit(tables[0], evidence.train.labels)
    scores = [forest.predict_proba(table)[:, 1] for table in tables]
    found = judged(with_scores(evidence, train=scores[0], holdout=scores[1]))
    assert {name for name, result in found.items() if result.verdict == "FAIL"} - {"loss"} == {"gap"}
    assert found["gap"].details["train"] == pytest.approx(1.0, abs=0.01)


def test_rounding_to_float32_fails_only_parity() -> None:
    evidence = make_evidence()
    rounded = evidence.holdout.scores.astype(np.float32).astype(np.float64)
    exported = replace(evidence, holdout=replace(evidence.holdout, answers=binary(rounded)))
    assert faults(exported) == {"parity"}


def test_a_label_flip_fails_parity_even_within_the_tolerance() -> None:
    evidence = make_evidence()
    assert evidence.native is not None
    native = evidence.holdout.scores.copy()
    native[3] = 0.5
    served = native.copy()
    served[3] = np.nextafter(0.5, 0)
    exported = replace(
        evidence,
        holdout=replace(evidence.holdout, answers=binary(served)),
        native=replace(evidence.native, holdout=native),
    )
    result = judged(exported)["parity"]
    assert result.verdict == "FAIL"
    assert result.details["flips"] == 1


def test_an_edge_row_that_differs_fails_parity() -> None:
    evidence = make_evidence()
    assert evidence.native is not None
    worse = replace(evidence.native, edge_served=evidence.native.edge + np.r_[1e-9, np.zeros(199)])
    assert faults(replace(evidence, native=worse)) == {"parity"}


def test_two_slow_calls_in_a_hundred_fail_p99_and_not_p50() -> None:
    rng = np.random.default_rng(3)
    times = rng.gamma(4, 0.0003, size=2000)
    times[rng.permutation(2000)[:40]] += 0.050
    assert faults(make_evidence(latency=RecordedLatency(latency_run(times)))) == {"p99"}


def test_too_few_calls_say_how_many_p99_needs() -> None:
    result = judged(make_evidence(latency=RecordedLatency(latency_run(np.full(100, 0.001)))))
    assert result["p50"].verdict == "PASS"
    assert (result["p99"].verdict, result["p99"].needed, result["p99"].needed_unit) == ("INCONCLUSIVE", 368, "calls")


def test_calls_are_timed_once_for_all_latency_requirements_and_last() -> None:
    calls: list[int] = []
    seen: list[tuple[str, int]] = []
    evidence = make_evidence(latency=CallProbe(lambda: calls.append(1), scenario="a list", warmup=5))
    certify(evidence, POLICY_OF_LATE, progress=Watcher(lambda result: seen.append((result.check, len(calls)))))
    assert len(calls) == 2005
    assert [check for check, _ in seen[-2:]] == ["T1", "T1"]
    assert all(count == 0 for _, count in seen[:-2])


def test_what_was_not_measured_is_inconclusive_and_blocks() -> None:
    outcome = certified(make_evidence(native=None, latency=None))
    verdicts = {result.requirement: result.verdict for result in outcome.results}
    assert [verdicts[name] for name in ("parity", "p50", "p99")] == ["INCONCLUSIVE"] * 3
    assert outcome.verdict == "INCONCLUSIVE"
    assert "was not measured" in outcome.sentence


def test_a_champion_that_is_better_fails_the_challenger_and_an_equal_one_does_not() -> None:
    evidence = make_evidence()
    same = replace(evidence, champion=Champion(root="sha256:" + "c" * 64, answers=evidence.holdout.answers))
    assert judged(same)["champion"].verdict == "PASS"
    noise = np.random.default_rng(0).normal(size=evidence.holdout.rows) * 0.35
    worse = np.clip(evidence.holdout.scores + noise, 0, 1)
    rival = replace(
        with_scores(evidence, train=evidence.train.scores, holdout=worse),
        champion=Champion(root="sha256:" + "c" * 64, answers=evidence.holdout.answers),
    )
    assert judged(rival)["champion"].verdict == "FAIL"


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (OrderFacts(), "INCONCLUSIVE"),
        (
            OrderFacts(policy_commit="1", evidence_commit="2", policy_is_ancestor=True, policy_unchanged=True),
            "INCONCLUSIVE",
        ),
        (OrderFacts(policy_commit="1", evidence_commit="2", policy_is_ancestor=True, policy_unchanged=False), "FAIL"),
        (OrderFacts(policy_commit="2", evidence_commit="1", policy_is_ancestor=False), "FAIL"),
        (
            OrderFacts(
                policy_commit="1",
                evidence_commit="2",
                policy_is_ancestor=True,
                policy_unchanged=True,
                witness="auditor",
                witnessed_at="2026-11-01T12:00:00Z",
                first_look_at="2026-11-02T12:00:00Z",
            ),
            "PASS",
        ),
        (
            OrderFacts(
                policy_commit="1",
                evidence_commit="2",
                policy_is_ancestor=True,
                policy_unchanged=True,
                witness="auditor",
                witnessed_at="2026-11-03T12:00:00Z",
                first_look_at="2026-11-02T12:00:00Z",
            ),
            "FAIL",
        ),
    ],
)
def test_order_is_proven_only_by_a_witness_and_violated_by_a_later_policy(facts: OrderFacts, verdict: str) -> None:
    assert judged(make_evidence(order=facts))["order"].verdict == verdict


def test_the_severity_decides_whether_an_order_not_proven_blocks() -> None:
    strict = parse_policy(POLICY.replace(b"check: V4, severity: should", b"check: V4, severity: must"), where="x")
    outcome = certify(make_evidence(), strict)
    assert outcome.verdict == "INCONCLUSIVE"
    assert "order not proven" in outcome.sentence
    allowing = POLICY.replace(b"check: V4, severity: should", b"check: V4").replace(
        b"{seed", b"{inconclusive: allow, seed"
    )
    outcome = certify(make_evidence(), parse_policy(allowing, where="x"))
    assert outcome.verdict == "PASS"
    assert "1 undecided, which the policy allows" in outcome.sentence


def test_bonferroni_widens_every_interval() -> None:
    both = [POLICY, POLICY.replace(b"{seed", b"{multiplicity: bonferroni, seed").replace(b"2000}", b"20000}")]
    plain, corrected = (certify(make_evidence(), parse_policy(data, where="x")) for data in both)
    assert corrected.comparisons == 7
    assert corrected.confidence_each == pytest.approx(1 - 0.05 / 7)
    for one, other in zip(plain.results, corrected.results, strict=True):
        if one.interval is not None and other.interval is not None and one.interval.confidence < 1:
            assert other.interval.low <= one.interval.low
            assert other.interval.high >= one.interval.high


def test_a_policy_for_another_model_or_another_domain_is_refused_before_any_check() -> None:
    with pytest.raises(PolicyForAnotherModelError):
        certify(make_evidence(model="early"), POLICY_OF_LATE)
    pinned = parse_policy(POLICY + b"domain: sha256:" + b"0" * 64, where="x")
    with pytest.raises(DomainMismatchError):
        certify(make_evidence(), pinned)
    assert certify(make_evidence(domain=DOMAIN), POLICY_OF_LATE).root == ROOT


def test_false_failures_of_fault_free_models_stay_under_alpha() -> None:
    checks = POLICY.replace(b"  - {id: trivial, check: F2}\n", b"").replace(b"draws: 2000", b"draws: 1000")
    policy = parse_policy(checks, where="x")
    failed = sum(
        any(result.verdict == "FAIL" for result in certify(make_evidence(seed, rows=60), policy).results)
        for seed in range(100)
    )
    assert failed <= 5


def test_a_model_exactly_on_the_threshold_rarely_passes_and_rarely_fails() -> None:
    policy = parse_policy(
        b"model: late\nowner: a\nstatistics: {draws: 1000}\nrequirements:\n"
        b"  - {id: gap, check: F5, metric: brier, max: 0.0}\n",
        where="x",
    )
    verdicts = [certify(make_evidence(seed, train_days=12, days=12, rows=60), policy).verdict for seed in range(300)]
    # 300 trials at the nominal 2.5 % on each side: at most 15 with a probability of 0.995
    assert verdicts.count("FAIL") <= 15
    assert verdicts.count("PASS") <= 15
