"""Combinations of values: what training has met, and what only the hold-out has."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from certify_real import TASKS, real_evidence, results, taken
from hypothesis import given
from hypothesis import strategies as st

from mintage.certify.evidence import Evidence
from mintage.certify.levels import column_levels, levels_of
from mintage.errors import FileMalformedError
from mintage.repo.modelfile import InputSpec
from mintage.stats.cells import cells_of, count_cells

COVERED = "id: covered, check: D2"
ABSENT = "id: absent, check: D2, measure: difference"
THREE = "id: three, check: D2, measure: difference, ways: 3, max: 0.3"


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.integers(1, 3))
def test_cells_are_those_that_counting_by_hand_finds(seed: int, ways: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, 4).tolist()
    domains = [max(1, size - int(rng.integers(0, 2))) for size in sizes]
    train, others = ([rng.integers(0, size, rows) for size in sizes] for rows in (30, 9))
    cells = covered = met = absent = 0
    most = 0
    for chosen in combinations(range(4), ways):
        for levels in product(*(range(sizes[column]) for column in chosen)):
            ours, theirs = (
                int(np.logical_and.reduce([rows[c] == level for c, level in zip(chosen, levels, strict=True)]).sum())
                for rows in (train, others)
            )
            inside = all(level < domains[c] for c, level in zip(chosen, levels, strict=True))
            cells, covered = cells + inside, covered + (inside and ours >= times)
            met, absent = met + (theirs > 0), absent + (theirs > 0 and ours == 0)
            most = max(most, theirs if ours == 0 else 0)
    found = count_cells(train, others, sizes=sizes, domains=domains, ways=ways, times=times)
    assert (found.cells, found.covered, found.met, found.absent) == (cells, covered, met, absent)
    assert (found.largest.rows if found.largest else 0) == most
    assert cells_of(domains, ways) == cells


@pytest.mark.parametrize("task", TASKS)
def test_a_segment_that_training_lost_fails_combinations_and_the_whole_passes(task: str) -> None:
    pytest.importorskip("sklearn")
    evidence = _with_kind(real_evidence(task))
    found = results(evidence, COVERED, ABSENT, THREE)
    assert "FAIL" not in {result.verdict for result in found.values()}, found
    assert found["covered"].verdict == "PASS"
    # 45 rows of wine do not tell how many of another 45 rows' combinations of three are new
    assert {found[name].verdict for name in ("absent", "three")} == {
        "PASS",
        "INCONCLUSIVE" if task == "multiclass" else "PASS",
    }
    kept = np.array([kind != "c" for kind in evidence.train.columns["kind"].tolist()])
    faulty = replace(evidence, train=taken(evidence.train, np.flatnonzero(kept)))
    result = results(faulty, ABSENT)["absent"]
    assert result.verdict == "FAIL" and "kind" in result.reason
    told = result.details["largest not in training"]
    assert isinstance(told, str) and ("kind c" in told or "kind another" in told)


def test_cells_of_a_declared_category_that_training_never_had_are_of_the_domain() -> None:
    train = np.array(["a", "b", "a"], dtype=object)
    declared = column_levels("t", train, train, InputSpec(type="string", categories=("a", "b", "z")))
    assert (declared.names, declared.domain) == (("a", "b", "z"), 3)
    bare = column_levels("t", train, np.array(["z", None], dtype=object))
    assert (bare.names, bare.domain) == (("a", "b", "null", "another"), 3)
    assert bare.holdout.tolist() == [3, 2]


def test_many_categories_are_the_most_common_ones_and_the_rest() -> None:
    train = np.array([f"{place:02d}" for place in range(30) for _ in range(place + 1)], dtype=object)
    found = column_levels("t", train, train[:1])
    assert len(found.names) == found.domain == 21 and found.names[0] == "29" and found.holdout.tolist() == [20]


def test_numbers_have_levels_of_equally_many_rows_and_the_outer_ones_have_no_end() -> None:
    train = np.arange(1000.0)
    found = column_levels("n", train, np.array([-1e9, 1e9, 500.0]))
    assert np.ptp(np.bincount(found.train)) <= 2 and found.holdout.tolist() == [0, 4, 2]
    assert found.names[0] == "to 199" and found.names[-1] == "over 799"
    constant = column_levels("n", np.full(20, 3.0), np.array([3.0, 4.0]))
    assert (constant.names, constant.domain, constant.holdout.tolist()) == (("3", "another"), 1, [0, 1])
    skewed = column_levels("n", np.r_[np.zeros(900), np.arange(100)], np.array([0.0, 50.0]))
    assert skewed.holdout.tolist() == [0, len(skewed.names) - 1]
    empty = column_levels("n", np.full(5, np.nan), np.array([1.0, np.nan]))
    assert (empty.names, empty.holdout.tolist()) == (("null", "another"), [1, 0])


def test_numbers_that_are_nearly_all_the_greatest_have_two_levels() -> None:
    seen = np.array([10.0] * 90 + [value / 2 for value in range(19)])
    found = column_levels("visib", seen, np.array([0.0, 9.0, 10.0, 11.0]))
    assert found.names == ("to 9", "over 9") and found.holdout.tolist() == [0, 0, 1, 1]


def test_asking_for_more_occurrences_covers_less() -> None:
    pytest.importorskip("sklearn")
    evidence = real_evidence("binary")
    once, often = (results(evidence, f"id: c, check: D2, times: {times}")["c"].estimate for times in (1, 5))
    assert once is not None and often is not None and often < once


def test_columns_that_are_none_or_too_few_or_too_many_are_said() -> None:
    pytest.importorskip("sklearn")
    evidence = real_evidence("binary")
    first = next(iter(evidence.train.columns))
    assert results(evidence, "id: c, check: D2, columns: [nix]")["c"].reason == "nix is no input of the model"
    assert results(evidence, f"id: c, check: D2, columns: [{first}]")["c"].verdict == "NOT_APPLICABLE"
    wide = {f"{first}{place}": evidence.train.columns[first] for place in range(300)}
    held = {f"{first}{place}": evidence.holdout.columns[first] for place in range(300)}
    many = replace(
        evidence, train=replace(evidence.train, columns=wide), holdout=replace(evidence.holdout, columns=held)
    )
    result = results(many, "id: c, check: D2, ways: 3")["c"]
    assert result.verdict == "INCONCLUSIVE" and "too many to count" in result.reason
    assert len(levels_of(many, wide)) == 300


@pytest.mark.parametrize("line", ["max: 0.5", "measure: difference, min: 0.5", "measure: difference, times: 2"])
def test_a_threshold_of_the_other_measure_is_refused(line: str) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(FileMalformedError) as caught:
        results(real_evidence("multiclass"), f"id: c, check: D2, {line}")
    assert "takes" in str(caught.value.expected)


def _with_kind(evidence: Evidence) -> Evidence:
    """With a column of three texts that says nothing."""
    rng = np.random.default_rng(5)
    train, holdout = (
        replace(part, columns={**part.columns, "kind": rng.choice(["a", "b", "c"], part.rows).astype(object)})
        for part in (evidence.train, evidence.holdout)
    )
    return replace(evidence, train=train, holdout=holdout, spec=None)
