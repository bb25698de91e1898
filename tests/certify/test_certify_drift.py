"""How far the hold-out is from training: the size of drift, and whether a model can tell the splits apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certify_evidence import make_evidence
from certify_real import HEAD, TASKS, real_evidence, results, taken

from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.check import CheckResult
from mintage.certify.checks.l6 import unless_blind
from mintage.certify.evidence import Evidence
from mintage.certify.policy import parse_policy
from mintage.stats.interval import Interval
from mintage.stats.stability import psi, stability

pytest.importorskip("sklearn")
DRIFT, LIKE = "id: drift, check: D5, max: 0.4", "id: like, check: L6, max: 0.7"
BESIDE = (DRIFT, LIKE, "id: shared, check: L1", "id: entities, check: L2", "id: target, check: L4, max: 0.99")


def failed(evidence: Evidence) -> set[str]:
    return {name for name, result in results(evidence, *BESIDE).items() if result.verdict == "FAIL"}


def shifted(evidence: Evidence, by: float) -> Evidence:
    """The first two inputs of the hold-out, farther by so many standard deviations."""
    names = list(evidence.train.columns)[:2]
    columns = dict(evidence.holdout.columns)
    for name in names:
        columns[name] = columns[name] + by * np.std(columns[name])
    return replace(evidence, holdout=replace(evidence.holdout, columns=columns))


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_shift_of_two_inputs_fails_drift_and_likeness_and_nothing_else(task: str) -> None:
    evidence = real_evidence(task)
    assert failed(evidence) == set()
    assert failed(shifted(evidence, 2.0)) == {"drift", "like"}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_split_by_chance_of_more_rows_passes_both(task: str) -> None:
    evidence = _doubled(real_evidence(task))
    found = results(evidence, DRIFT, LIKE)
    assert found["drift"].verdict == "PASS", found["drift"].reason
    assert found["like"].verdict in ("PASS", "INCONCLUSIVE")


def test_a_dependence_that_no_column_shows_alone_fails_likeness_and_not_drift() -> None:
    rng = np.random.default_rng(2)
    evidence = make_evidence(rows=60)
    evidence = replace(evidence, model="real")
    train, holdout = (
        replace(
            part,
            groups=None,
            columns={"a": (a := rng.normal(size=part.rows)), "b": sign * a + 0.3 * rng.normal(size=part.rows)},
        )
        for part, sign in ((evidence.train, 1.0), (evidence.holdout, -1.0))
    )
    found = results(replace(evidence, train=train, holdout=holdout), DRIFT, LIKE)
    assert (found["drift"].verdict, found["like"].verdict) == ("PASS", "FAIL")


@pytest.mark.slow
def test_a_later_hold_out_is_told_and_not_required_and_the_certificate_reads_back() -> None:
    evidence = shifted(real_evidence("binary", by_time=True), 3.0)
    text = HEAD + f"  - {{{DRIFT}}}\n  - {{{LIKE}}}\n  - {{id: shared, check: L1}}\n"
    outcome = certify(evidence, parse_policy(text.encode(), where="p"))
    for result in outcome.results[:2]:
        assert result.verdict == "NOT_APPLICABLE" and result.estimate is not None and result.interval is not None
        assert result.reason.endswith("told, not required: the hold-out is later than training")
        assert "required at most" not in result.reason
    statement = certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")
    assert parse_certificate(statement).verdict == "PASS"


def test_groups_that_differ_as_a_whole_are_no_drift() -> None:
    evidence = replace(make_evidence(rows=60), model="real")
    rng = np.random.default_rng(4)
    parts = []
    for part, days in ((evidence.train, 30), (evidence.holdout, 15)):
        level = rng.normal(size=days).repeat(60)
        parts.append(replace(part, columns={"weather": level + 0.1 * rng.normal(size=part.rows)}))
    grouped = replace(evidence, train=parts[0], holdout=parts[1])
    rows = replace(grouped, train=replace(parts[0], groups=None), holdout=replace(parts[1], groups=None))
    line = "id: drift, check: D5, max: 0.02"
    assert results(rows, line)["drift"].verdict == "FAIL"
    assert results(grouped, line)["drift"].verdict == "INCONCLUSIVE"
    few = replace(grouped, holdout=replace(parts[1], groups=np.zeros(parts[1].rows)))
    result = results(few, line)["drift"]
    assert result.verdict == "INCONCLUSIVE" and "1 groups give no interval" in result.reason


@pytest.mark.slow
def test_the_same_evidence_gives_the_same_bits() -> None:
    evidence = real_evidence("binary")
    assert results(evidence, DRIFT, LIKE) == results(evidence, DRIFT, LIKE)


@pytest.mark.slow
def test_days_that_differ_as_a_whole_are_not_told_apart_by_their_split() -> None:
    found = []
    for seed in range(4):
        evidence, rng = make_evidence(seed, days=20, rows=20), np.random.default_rng(seed)
        parts = [
            replace(
                part,
                columns={"weather": rng.normal(size=part.group_count).repeat(20) + 0.1 * rng.normal(size=part.rows)},
            )
            for part in (evidence.train, evidence.holdout)
        ]
        result = results(replace(evidence, model="real", train=parts[0], holdout=parts[1]), LIKE)["like"]
        assert result.verdict != "FAIL" and result.interval is not None
        found.append(result.estimate or 0.0)
    assert 0.35 < np.mean(found) < 0.65


def test_a_likeness_that_could_not_have_been_seen_is_open() -> None:
    evidence = real_evidence("multiclass")
    few = replace(
        evidence, native=None, train=taken(evidence.train, np.arange(24)), holdout=taken(evidence.holdout, np.arange(8))
    )
    result = results(few, "id: like, check: L6, max: 0.99")["like"]
    assert result.verdict == "INCONCLUSIVE" and "a planted shift was not found either" in result.reason
    known = CheckResult(
        requirement="like",
        check="L6",
        check_version=0,
        title="",
        severity="must",
        verdict="PASS",
        reason="AUC 0.2",
        interval=Interval(low=0.1, high=0.3, confidence=0.95),
    )
    assert "misleads on others: too few groups" in unless_blind(known, 0.9, 0.6).reason
    assert unless_blind(known, 0.9, 0.6).verdict == "INCONCLUSIVE"


def test_an_id_does_not_tell_the_splits_apart() -> None:
    evidence = real_evidence("binary")
    parts = [
        replace(part, columns={**part.columns, "key": np.array([f"{name}{n}" for n in range(part.rows)], object)})
        for name, part in (("a", evidence.train), ("b", evidence.holdout))
    ]
    assert results(replace(evidence, train=parts[0], holdout=parts[1]), LIKE)["like"].verdict != "FAIL"


def test_the_interval_of_the_index_covers_it() -> None:
    rng = np.random.default_rng(7)
    p, q = np.array([0.2, 0.2, 0.2, 0.2, 0.2]), np.array([0.12, 0.15, 0.2, 0.24, 0.29])
    true = float(((p - q) * np.log(p / q)).sum())
    hits = misses_low = 0
    for _ in range(300):
        one, other = rng.multinomial(600, p), rng.multinomial(300, q)
        drawn = [rng.multinomial(counts.sum(), counts / counts.sum(), 500) for counts in (one, other)]
        found = stability(one, other, *drawn, units=300, confidence=0.95)
        hits += found.interval.contains(true)
        misses_low += found.interval.low > true
    assert hits >= 270 and misses_low <= 12
    assert float(psi(np.array([5, 5]), np.array([50, 50]))) == 0.0


def _doubled(evidence: Evidence) -> Evidence:
    """Four times the rows, with a little noise: as if more had been collected."""
    rng = np.random.default_rng(1)
    parts = []
    for part in (evidence.train, evidence.holdout):
        places = rng.integers(0, part.rows, 4 * part.rows)
        columns = {
            name: column[places] + 0.3 * np.std(column) * rng.normal(size=len(places))
            for name, column in part.columns.items()
        }
        parts.append(
            replace(
                part,
                columns=columns,
                labels=part.labels[places],
                answers=part.answers.of(part.answers.values[places]),
                extra={},
            )
        )
    return replace(evidence, train=parts[0], holdout=parts[1], native=None, spec=None)
