"""Checks of what the data are: domain, entities, times. Each planted fault fails its own check, and its twin passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from certify_real import TASKS, declared, real_evidence, results, taken, with_columns

from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import certify
from mintage.certify.evidence import Evidence
from mintage.certify.policy import parse_policy
from mintage.certify.times import numbers_of_times
from mintage.repo.modelfile import InputSpec

pytest.importorskip("sklearn")
DOMAIN, ENTITIES, TIME = "id: domain, check: D1, max_share: 0.1", "id: entities, check: L2", "id: time, check: L3"
ALL = (DOMAIN, ENTITIES, TIME, "id: shared, check: L1")


def failed(evidence: Evidence) -> set[str]:
    return {name for name, result in results(evidence, *ALL).items() if result.verdict == "FAIL"}


@pytest.mark.parametrize("task", TASKS)
def test_a_fault_free_split_by_time_passes_and_its_certificate_reads_back(task: str) -> None:
    evidence = real_evidence(task, by_time=task != "multiclass")
    if task == "multiclass":  # wine is sorted by its label: split by chance, time is made up afterwards
        train, holdout = (
            replace(part, extra={**part.extra, "time": np.arange(part.rows).astype(object) + start})
            for part, start in ((evidence.train, 0), (evidence.holdout, 1000))
        )
        evidence = replace(evidence, train=train, holdout=holdout)
    found = results(evidence, *ALL)
    assert {result.verdict for result in found.values()} == {"PASS"}, found
    text = "model: real\nowner: x\nrequirements:\n" + "".join(f"  - {{{line}}}\n" for line in ALL)
    outcome = certify(evidence, parse_policy(text.encode(), where="p"))
    statement = certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")
    assert parse_certificate(statement).verdict == "PASS"


@pytest.mark.parametrize("task", TASKS)
def test_a_unit_that_changed_in_the_hold_out_fails_only_the_domain(task: str) -> None:
    evidence = real_evidence(task, by_time=task == "regression")
    name = next(iter(evidence.train.columns))
    faulty = with_columns(evidence, lambda split: {name: split.columns[name] * 100 + 7}, splits=("holdout",))
    assert failed(faulty) - failed(evidence) == {"domain"}
    result = results(faulty, DOMAIN)["domain"]
    assert f"{name} beyond its range" in result.reason
    assert result.details[f"{name}: beyond its range"] == result.details["rows outside"]


def test_nulls_fractions_and_unknown_categories_are_outside_and_what_is_not_declared_is_told() -> None:
    evidence = real_evidence("binary")
    first, *_ = evidence.train.columns
    half = np.arange(evidence.holdout.rows) % 2 == 0
    texts = np.where(half, "new", "old").astype(object)
    evidence = replace(
        evidence,
        train=replace(evidence.train, columns={first: evidence.train.columns[first], "t": np.full(426, "old", object)}),
        holdout=replace(
            evidence.holdout, columns={first: np.where(half, np.nan, evidence.holdout.columns[first]), "t": texts}
        ),
    )
    inputs = {first: InputSpec(type="float"), "t": InputSpec(type="string")}
    spec = declared(real_evidence("binary").train, inputs=inputs)
    assert results(replace(evidence, spec=spec), DOMAIN)["domain"].verdict == "NOT_APPLICABLE"
    for change, says in (
        ({first: InputSpec(type="float", nullable=False), "t": inputs["t"]}, f"{first} null 72 times"),
        ({first: InputSpec(type="int"), "t": inputs["t"]}, f"{first} no whole number 70 times"),
        ({first: inputs[first], "t": InputSpec(type="string", categories=("old",))}, "t no declared category 72 times"),
    ):
        spec = declared(real_evidence("binary").train, inputs=change)
        result = results(replace(evidence, spec=spec), DOMAIN)["domain"]
        assert result.verdict == "FAIL" and says in result.reason
        assert result.details["texts not in training"] == 72


def test_too_few_rows_say_how_many_would_show_that_the_domain_holds() -> None:
    result = results(real_evidence("multiclass"), "id: domain, check: D1, max_share: 0.01")["domain"]
    assert result.verdict == "INCONCLUSIVE" and (result.needed, result.needed_unit) == (368, "rows")
    assert result.interval is not None and result.interval.high > 0.01


def test_groups_that_are_outside_as_a_whole_have_a_wider_interval_than_rows() -> None:
    evidence = real_evidence("binary")
    name = next(iter(evidence.train.columns))
    days = np.arange(evidence.holdout.rows) // 10
    column = np.where(days == 3, 1e9, evidence.holdout.columns[name])
    holdout = replace(evidence.holdout, columns={**evidence.holdout.columns, name: column})
    line = "id: domain, check: D1"
    rows = results(replace(evidence, holdout=holdout), line)["domain"].interval
    grouped = results(replace(evidence, holdout=replace(holdout, groups=days)), line)["domain"].interval
    assert rows is not None and grouped is not None
    assert grouped.high - grouped.low > 1.5 * (rows.high - rows.low)


@pytest.mark.parametrize("task", TASKS)
def test_one_entity_in_both_splits_fails_only_entities(task: str) -> None:
    evidence = real_evidence(task)
    ids = evidence.holdout.extra["id"].copy()
    ids[4] = evidence.train.extra["id"][9]
    faulty = replace(evidence, holdout=replace(evidence.holdout, extra={**evidence.holdout.extra, "id": ids}))
    assert failed(faulty) - failed(evidence) == {"entities"}
    assert f"such as {ids[4]}" in results(faulty, ENTITIES)["entities"].reason


def test_a_group_in_both_splits_fails_by_group_and_not_by_id() -> None:
    evidence = real_evidence("binary")
    splits = (
        replace(part, extra={**part.extra, "group": part.extra["id"] // 50})
        for part in (evidence.train, evidence.holdout)
    )
    train, holdout = splits
    spec = declared(evidence.train, group_key="customer")
    evidence = replace(evidence, train=train, holdout=holdout, spec=spec)
    assert results(evidence, "id: e, check: L2, by: id")["e"].verdict == "PASS"
    assert results(evidence, "id: e, check: L2, by: group")["e"].verdict == "FAIL"
    assert "whose group_key is in training" in results(evidence, ENTITIES)["entities"].reason


def test_without_a_declared_key_entities_do_not_apply_and_without_its_column_they_are_open() -> None:
    evidence = real_evidence("binary")
    plain = replace(evidence, spec=declared(evidence.train, id=None, time=None))
    assert results(plain, ENTITIES)["entities"].verdict == "NOT_APPLICABLE"
    bare = replace(evidence, holdout=replace(evidence.holdout, extra={}))
    found = results(bare, ENTITIES, TIME)
    assert [found[name].verdict for name in ("entities", "time")] == ["INCONCLUSIVE"] * 2


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_split_by_chance_fails_only_the_order_in_time(task: str) -> None:
    assert failed(real_evidence(task, by_time=True)) == set()
    assert failed(real_evidence(task)) == {"time"}
    assert "training ends at" in results(real_evidence(task), TIME)["time"].reason


def test_labels_that_come_late_need_a_gap_between_training_and_hold_out() -> None:
    evidence = real_evidence("binary", by_time=True)
    assert results(evidence, "id: t, check: L3, horizon_days: 1")["t"].verdict == "PASS"
    result = results(evidence, "id: t, check: L3, horizon_days: 30")["t"]
    assert result.verdict == "FAIL" and result.details["rows too early"] == 29


def test_times_are_read_as_dates_moments_texts_or_numbers_and_never_mixed() -> None:
    day = date(2020, 1, 2)
    assert numbers_of_times([day, datetime(2020, 1, 2, 6)]).tolist() == [18263.0, 18263.25]  # type: ignore[union-attr]
    assert numbers_of_times(["2020-01-02T02:00:00+02:00"]).tolist() == [18263.0]  # type: ignore[union-attr]
    assert numbers_of_times([datetime(2020, 1, 2, tzinfo=UTC), datetime(2020, 1, 2)]) is None
    for values in ([day, None], [1.0, float("nan")], [1, day], [True, 2], ["x"]):
        assert numbers_of_times(values) is None
    evidence = real_evidence("binary", by_time=True)
    train, holdout = (
        replace(part, extra={"time": np.array([datetime(2020, 1, 1 + start)] * part.rows, dtype=object)})
        for part, start in ((evidence.train, 0), (evidence.holdout, 1))
    )
    result = results(replace(evidence, train=train, holdout=holdout), TIME)["time"]
    assert "training ends at 2020-01-01T00:00, the hold-out begins at 2020-01-02T00:00" in result.reason


def test_a_hold_out_without_rows_of_training_is_taken_as_it_is() -> None:
    evidence = real_evidence("binary")
    again = replace(evidence, holdout=taken(evidence.holdout, np.arange(evidence.holdout.rows)[::-1]))
    assert results(again, *ALL)["domain"].details == results(evidence, *ALL)["domain"].details
