"""What a model costs a machine, and what is recorded of how it came about: the verdicts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from certify_evidence import make_evidence
from certify_real import results

from mintage.certify.evidence import Evidence
from mintage.certify.footprint import FootprintRun, RecordedFootprint
from mintage.errors import FileMalformedError

LINES = (
    "id: speed, check: T2, measure: throughput, min: 1000",
    "id: start, check: T2, measure: cold_start, max: 2",
    "id: memory, check: T2, measure: memory, max: 300",
    "id: size, check: T2, measure: size, max: 1",
)


def costing(*, processes: int = 6, size: int = 900_000, **changes: float) -> Evidence:
    """Evidence of a light model; ``changes`` make its last process cost more."""
    values = {"rows_per_s": 5000.0, "cold_start_s": 1.0, "peak_bytes": 200e6}
    listed = {name: [value] * (processes - 1) + [changes.get(name, value)] for name, value in values.items()}
    run = FootprintRun(
        rows_per_s=tuple(listed["rows_per_s"]),
        cold_start_s=tuple(listed["cold_start_s"]),
        peak_bytes=tuple(map(int, listed["peak_bytes"])),
        scenario="recorded",
    )
    return replace(make_evidence(model="real"), footprint=RecordedFootprint(run, size_bytes=size))


def verdicts(evidence: Evidence, *lines: str) -> dict[str, str]:
    return {name: result.verdict for name, result in results(evidence, *(lines or LINES)).items()}


def test_a_light_model_passes_and_one_slow_process_leaves_its_own_limit_open() -> None:
    assert set(verdicts(costing()).values()) == {"PASS"}
    for name, worse in (("rows_per_s", 10.0), ("cold_start_s", 60.0), ("peak_bytes", 900e6)):
        found = verdicts(costing(**{name: worse}))
        open_ones = [one for one, verdict in found.items() if verdict != "PASS"]
        assert len(open_ones) == 1 and found[open_ones[0]] == "INCONCLUSIVE", (name, found)


def test_a_model_that_is_too_large_fails_only_the_size_and_one_that_is_always_slow_only_its_start() -> None:
    assert verdicts(costing(size=2_000_000)) == {"speed": "PASS", "start": "PASS", "memory": "PASS", "size": "FAIL"}
    slow = costing()
    assert isinstance(slow.footprint, RecordedFootprint)
    run = FootprintRun(
        rows_per_s=slow.footprint.run.rows_per_s,
        cold_start_s=(9.0, 8.0, 7.0, 9.0, 8.0, 7.5),
        peak_bytes=slow.footprint.run.peak_bytes,
        scenario="recorded",
    )
    slow = replace(slow, footprint=RecordedFootprint(run, size_bytes=1))
    assert verdicts(slow) == {"speed": "PASS", "start": "FAIL", "memory": "PASS", "size": "PASS"}


def test_too_few_processes_say_how_many_are_needed_and_none_is_not_measured() -> None:
    found = results(costing(processes=4), *LINES)
    assert (found["start"].verdict, found["start"].needed, found["start"].needed_unit) == (
        "INCONCLUSIVE",
        6,
        "processes",
    )
    assert found["size"].verdict == "PASS"
    nothing = results(make_evidence(model="real"), *LINES)
    assert {result.verdict for result in nothing.values()} == {"INCONCLUSIVE"}
    assert "not measured" in nothing["start"].reason


@pytest.mark.parametrize("line", ["measure: throughput, max: 3", "measure: size", "measure: memory, max: 3, min: 1"])
def test_a_limit_on_the_other_side_is_refused(line: str) -> None:
    with pytest.raises(FileMalformedError) as caught:
        results(costing(), f"id: x, check: T2, {line}")
    assert "takes" in str(caught.value.expected)


def test_provenance_counts_what_is_missing_and_the_splits_are_part_of_it() -> None:
    evidence = make_evidence(model="real")
    assert results(evidence, "id: v, check: V3")["v"].verdict == "INCONCLUSIVE"
    whole = replace(
        evidence,
        provenance={"commit": "1f", "hardware": "x"},
        train=replace(evidence.train, digest="b3:1"),
        holdout=replace(evidence.holdout, digest="b3:2"),
    )
    assert results(whole, "id: v, check: V3")["v"].verdict == "PASS"
    faulty = replace(whole, provenance={"commit": None, "hardware": "x"}, train=evidence.train)
    found = results(faulty, "id: v, check: V3")["v"]
    assert (found.verdict, found.estimate) == ("FAIL", 2)
    assert "missing: commit, digest of the training rows" in found.reason
