"""Planted faults in a model of real flights: each fails the check that it is for and nothing else; the twin passes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("polars")
from certify_faults import FAULTS, POWER, weak_slice
from certify_planted import POLICY, results, twin

from mintage.certify.check import CheckResult
from mintage.certify.example import Example
from mintage.certify.policy import parse_policy
from mintage.certify.registry import find_checks

PAGE = Path(__file__).parents[2] / "docs" / "planted-faults.md"
QUICK = ("low threshold", "copied 0.5 %", "segment lost", "by id", "sign", "too sure", "rounding", "edited policy")
TOLD = {"PASS", "NOT_APPLICABLE"}


@cache
def of_the_twin() -> dict[str, CheckResult]:
    return results(twin())


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_fails_its_check_and_the_twin_passes_it(name: str) -> None:
    fault = FAULTS[name]
    faulty, clean = results(fault.plant(), *fault.fails), results(fault.twin(), *fault.fails)
    assert {item.verdict for item in faulty.values()} == {"FAIL"}, faulty
    assert {item.verdict for item in clean.values()} == {"PASS"}, clean


SHOWN: dict[str, Callable[[Example], object]] = {
    "copied 0.5 %": lambda row: row.about.startswith("row ") and row.expected in ("on time", "late"),
    "domain": lambda row: list(row.row) == ["distance"] and float(row.row["distance"] or 0) > 6000,
    "weak slice": lambda row: row.of == "slice" and row.about == "carrier = B6 and origin = JFK",
    "by id": lambda row: list(row.changed) == ["flight"] and "→" in row.answered,
    "sign": lambda row: list(row.changed) == ["visib"] and row.expected == "not more",
    "finding": lambda row: row.row == {"carrier": "B6", "visib": 0.5} and row.answered == "on time",
    "rounding": lambda row: row.answered != row.expected and row.answered[:5] == row.expected[:5],
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_fault_is_shown_by_rows_that_have_it_and_the_twin_shows_none(name: str) -> None:
    fault = FAULTS[name]
    (faulty,) = results(fault.plant(), *fault.fails).values()
    (clean,) = results(fault.twin(), *fault.fails).values()
    assert 1 <= len(faulty.examples) <= 5 and all(SHOWN[name](row) for row in faulty.examples), faulty.examples
    assert clean.examples == ()


@pytest.mark.slow
def test_the_twin_passes_every_check() -> None:
    verdicts = {name: item.verdict for name, item in of_the_twin().items()}
    assert set(verdicts.values()) == TOLD, verdicts
    assert {name for name, verdict in verdicts.items() if verdict == "NOT_APPLICABLE"} == {"l3", "b5"}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_nothing_but_its_check(name: str) -> None:
    fault = FAULTS[name]
    found = results(fault.plant())
    assert {key for key, item in found.items() if item.verdict == "FAIL"} == set(fault.fails)
    assert {key for key in fault.open if found[key].verdict != "INCONCLUSIVE"} == set()
    assert not [item.reason for item in found.values() if "broke off" in item.reason]
    clean = of_the_twin() if fault.twin is twin else results(fault.twin())
    assert {clean[key].verdict for key in (*fault.fails, *fault.open)} == {"PASS"}


@pytest.mark.slow
@pytest.mark.parametrize(("carrier", "origin"), POWER)
def test_a_slice_of_one_in_a_hundred_rows_with_three_times_the_errors_is_found(carrier: str, origin: str) -> None:
    found = results(weak_slice(carrier, origin), "s1")["s1"]
    assert found.verdict == "FAIL"
    assert f"1 weak slice confirmed; carrier = {carrier} and origin = {origin}" in found.reason


def test_every_check_that_a_policy_can_ask_of_a_model_has_a_planted_fault() -> None:
    asked = {item.id: item.check for item in parse_policy(POLICY, where="late.yaml").requirements}
    faulty = {asked[name] for fault in FAULTS.values() for name in (*fault.fails, *fault.open)}
    elsewhere = {
        "H1",  # what people sign: test_certify_attested
        *("F6", "F7", "V2"),  # the pipeline runs again: test_certify_retrain, tests/cli/test_cli_interventions
        *("B3", "own"),  # files of the project: test_certify_relations, test_certify_own
        *("T2", "V3", "Z2"),  # a folder and a run: test_certify_footprint, tests/cli, test_certify_pickles
    }
    assert faulty == set(asked.values()) == set(find_checks()) - elsewhere


def test_the_page_tells_each_fault_with_what_it_fails() -> None:
    cells = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told: dict[str, list[str]] = {}
    what = ""
    for row in cells:
        what = row[0].removeprefix("| ").strip(" |") or what
        told.setdefault(what, []).append(row[1].strip(" |"))
    for fault in FAULTS.values():
        assert told[fault.what] == [name.upper() for name in (*fault.fails, *fault.open)]
