"""Rows that cannot occur: told by a condition, outside the domain, not a gap of training, and never asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from certify_behave import accepts, fault_free, make_behaving
from certify_real import real_evidence, results, taken
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mintage.certify.answers import Answers
from mintage.certify.check import CheckResult
from mintage.certify.evidence import Evidence
from mintage.certify.impossible import Numbers, Texts, always, impossible_rows, rows_of
from mintage.certify.served import Columns, Served
from mintage.repo.condition import Column, Condition, Node, parse_condition

COLUMNS = {"a": Column("float"), "b": Column("int"), "t": Column("string"), "u": Column("string")}
CONDITIONS = [
    "a < b",
    "a + 2 * b >= 3 and t != 'x'",
    "not (a == b or t == 'y')",
    "a is null or b is not null and t in ('x', 'z')",
    "t == u and a - b <= -1",
    "-a * b > 1",
    "not b in (1, 2.5)",
    "t == 'x' or t is null",
]
numbers = st.none() | st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 2.5])
texts = st.none() | st.sampled_from(["x", "y", "z"])


def said_by_hand(node: Node, row: dict[str, Any]) -> Any:
    """Python's own operators on one row, None for null."""
    if node.what == "column":
        return row[str(node.value)]
    if node.what == "constant":
        return node.value
    if node.what == "null":
        return said_by_hand(node.parts[0], row) is None
    values = [said_by_hand(part, row) for part in node.parts]
    if node.what in ("and", "or"):
        decides = node.what == "or"
        return decides if decides in values else None if None in values else not decides
    if None in values:
        return None
    if node.what == "not":
        return not values[0]
    if node.what == "in":
        assert isinstance(node.value, tuple)
        return values[0] in node.value
    one, other = values
    return {
        "==": lambda: one == other,
        "!=": lambda: one != other,
        "<": lambda: one < other,
        "<=": lambda: one <= other,
        ">": lambda: one > other,
        ">=": lambda: one >= other,
        "+": lambda: one + other,
        "-": lambda: one - other,
        "*": lambda: one * other,
    }[node.what]()


def columns_of(rows: list[tuple[float | None, float | None, str | None, str | None]]) -> Columns:
    a, b, t, u = (list(column) for column in zip(*rows, strict=True))
    return {
        **{name: np.array([np.nan if v is None else v for v in column]) for name, column in (("a", a), ("b", b))},
        **{name: np.array([*column, None], dtype=object)[:-1] for name, column in (("t", t), ("u", u))},
    }


@pytest.mark.parametrize("text", CONDITIONS)
@given(rows=st.lists(st.tuples(numbers, numbers, texts, texts), min_size=1, max_size=20))
def test_a_condition_says_of_each_row_what_plain_python_says(
    text: str, rows: list[tuple[float | None, float | None, str | None, str | None]]
) -> None:
    condition = parse_condition(text, COLUMNS)
    by_hand = [said_by_hand(condition.tree, dict(zip("abtu", row, strict=True))) is True for row in rows]
    assert impossible_rows([condition], columns_of(rows)).tolist() == by_hand


@pytest.mark.parametrize("text", CONDITIONS)
@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers), texts | st.just("any but x"), texts)
def test_a_cell_is_impossible_only_if_every_row_in_it_is(
    text: str,
    a: tuple[float | None, float | None],
    b: tuple[float | None, float | None],
    t: str | None,
    u: str | None,
) -> None:
    condition = parse_condition(text, COLUMNS)
    cells: dict[str, Numbers | Texts] = {"a": one_range(a), "b": one_range(b), "t": one_text(t), "u": one_text(u)}
    held: dict[str, list[float | str | None]] = {"a": values_in(a), "b": values_in(b), "t": [t], "u": [u]}
    if t == "any but x":
        cells["t"] = Texts(np.array([None], dtype=object), np.array([False]), frozenset("x"))
        held["t"] = ["y", "z"]
    if bool(always(condition, cells)[0]):
        for row in rows_in(held):
            assert said_by_hand(condition.tree, row) is True


def one_range(ends: tuple[float | None, float | None]) -> Numbers:
    null = None in ends
    low, high = (0.0, 0.0) if null else sorted(ends)  # type: ignore[type-var]
    return Numbers(np.array([float(low or 0)]), np.array([float(high or 0)]), np.array([null]))


def one_text(value: str | None) -> Texts:
    found = rows_of(np.array([value, "."], dtype=object)[:1])
    assert isinstance(found, Texts)
    return found


def values_in(ends: tuple[float | None, float | None]) -> list[float | str | None]:
    if None in ends:
        return [None]
    low, high = sorted(ends)  # type: ignore[type-var]
    return [v for v in (-2.0, -1.0, 0.0, 1.0, 2.0, 2.5) if low <= v <= high]  # type: ignore[operator]


def rows_in(held: dict[str, list[float | str | None]]) -> list[dict[str, float | str | None]]:
    rows: list[dict[str, float | str | None]] = [{}]
    for name, values in held.items():
        rows = [row | {name: value} for row in rows for value in values]
    return rows


def test_a_cell_that_a_condition_covers_is_found_and_one_that_it_cuts_is_not() -> None:
    condition = parse_condition("t == 'x' and a < 24", COLUMNS)
    cells = {
        "t": rows_of(np.array(["x", "x", "x", "y"], dtype=object)),
        "a": Numbers(np.array([1.0, 1, 24, 1]), np.array([23.0, 24, 30, 23]), np.zeros(4, dtype=bool)),
    }
    assert always(condition, cells).tolist() == [True, False, False, False]


def test_endless_ranges_do_not_make_an_impossible_cell() -> None:
    condition = parse_condition("a - b == 0 or a * b != a * b", COLUMNS)
    ends = Numbers(np.array([-np.inf]), np.array([np.inf]), np.array([False]))
    assert not always(condition, {"a": ends, "b": ends})[0]


def with_impossible(evidence: Evidence, *texts: str) -> Evidence:
    assert evidence.spec is not None
    return replace(evidence, spec=msgspec.structs.replace(evidence.spec, impossible=texts))


def with_kind(evidence: Evidence) -> Evidence:
    """The evidence with a text that follows from the first column: low or high of its middle."""
    name = sorted(evidence.train.columns)[0]
    middle = float(np.median(evidence.train.columns[name]))

    def kinds(values: NDArray[Any]) -> NDArray[Any]:
        return np.where(values > middle, "high", "low").astype(object)

    splits = {
        side: replace(split, columns={**split.columns, "kind": kinds(split.columns[name])})
        for side, split in (("train", evidence.train), ("holdout", evidence.holdout))
    }
    made = replace(evidence, **splits)  # type: ignore[arg-type]
    assert made.spec is not None
    inputs = {**made.spec.inputs, "kind": msgspec.structs.replace(made.spec.inputs[name], type="string", range=None)}
    spec = msgspec.structs.replace(
        made.spec,
        inputs=inputs,
        impossible=(f"{name} <= {middle!r} and kind == 'high'", f"{name} > {middle!r} and kind == 'low'"),
    )
    return replace(made, spec=spec)


def test_an_impossible_row_is_outside_the_domain_and_its_twin_is_not() -> None:
    pytest.importorskip("sklearn")
    evidence = with_kind(real_evidence("binary"))
    fine = results(evidence, "id: d, check: D1, max_share: 0.2", "id: c, check: D2, measure: difference, max: 0.5")
    assert {name: result.verdict for name, result in fine.items()} == {"d": "PASS", "c": "PASS"}
    kinds = evidence.holdout.columns["kind"].copy()
    kinds[:] = "high"
    faulty = replace(evidence, holdout=replace(evidence.holdout, columns={**evidence.holdout.columns, "kind": kinds}))
    found = results(faulty, "id: d, check: D1, max_share: 0.2", "id: c, check: D2, measure: difference, max: 0.5")
    assert {name: result.verdict for name, result in found.items()} == {"d": "FAIL", "c": "PASS"}
    assert "impossible" in found["d"].reason and "kind == 'high'" in found["d"].reason


def test_cells_that_cannot_occur_are_no_gap_of_training() -> None:
    pytest.importorskip("sklearn")
    evidence = with_kind(real_evidence("binary"))
    names = [next(name for name in sorted(evidence.train.columns) if name != "kind"), "kind"]
    line = f"id: c, check: D2, columns: [{', '.join(names)}], min: 0.85"
    found = results(evidence, line)["c"]
    assert (found.verdict, found.details["impossible cells, not counted"]) == ("PASS", 4)
    assert "4 impossible ones not counted" in found.reason
    without = results(with_impossible(evidence), line)["c"]
    assert without.estimate is not None and found.estimate is not None
    assert without.verdict == "FAIL" and without.estimate < found.estimate


def test_a_condition_of_more_columns_than_a_cell_is_told_and_all_cells_impossible_are_inconclusive() -> None:
    pytest.importorskip("sklearn")
    evidence = with_kind(real_evidence("binary"))
    one, other, third = [name for name in sorted(evidence.train.columns) if name != "kind"][:3]
    wide = f"{one} < {other} and {third} < 0"
    details = results(with_impossible(evidence, wide), "id: c, check: D2")["c"].details
    assert details[wide] == "not judged: a cell does not have all of its columns"
    nothing = with_impossible(evidence, f"{one} is null or {one} is not null")
    found = results(nothing, f"id: c, check: D2, columns: [{one}, {other}]")["c"]
    assert (found.verdict, "no cell of the domain is possible" in found.reason) == ("INCONCLUSIVE", True)


def breaks_where(condition: Condition) -> Evidence:
    """A model that cannot answer the rows of a condition, and is right elsewhere."""
    model = fault_free("binary")

    def fragile(columns: Columns) -> Answers:
        if impossible_rows([condition], columns).any():
            raise ValueError("no such row")
        return model(columns)

    return make_behaving("binary", served=Served(fragile, accepts=accepts))


def test_edge_rows_that_cannot_occur_are_not_asked() -> None:
    text = "kind == 'never-seen-before' and c > 8"
    kinds = {"kind": Column("string"), "c": Column("int")}
    evidence = breaks_where(parse_condition(text, kinds))
    assert results_of(evidence)["edge"].verdict == "FAIL"
    declared = results_of(with_impossible(evidence, text))["edge"]
    assert declared.verdict == "PASS"
    assert int(declared.details["impossible, not asked"] or 0) > 0


def test_changed_rows_that_cannot_occur_are_not_asked_and_are_counted() -> None:
    text = "a > 2.5 or kind is null"
    evidence = breaks_where(parse_condition(text, {"kind": Column("string"), "a": Column("float")}))
    # the rows of the splits themselves are possible
    possible = ~impossible_rows(
        [parse_condition(text, {"kind": Column("string"), "a": Column("float")})], evidence.holdout.columns
    )
    evidence = replace(evidence, holdout=taken(evidence.holdout, np.flatnonzero(possible)))
    lines = [
        "id: noise, check: R1, shares: [0.2], max_loss: 0.5",
        "id: lost, check: R2, shares: [0.2], max_loss: 0.9",
        "id: irrelevant, check: B1, irrelevant: [ticket, kind], max_share: 1",
        "id: grows, check: B2",
    ]
    assert {result.verdict for result in results_of(evidence, *lines[:2]).values()} == {"INCONCLUSIVE"}
    found = results_of(with_impossible(evidence, text), *lines)
    assert {name: result.verdict for name, result in found.items()} == {
        "noise": "PASS",
        "lost": "PASS",
        "irrelevant": "PASS",
        "grows": "NOT_APPLICABLE",
    }
    assert int(found["lost"].details["impossible once perturbed"] or 0) > 0


def results_of(evidence: Evidence, *lines: str) -> dict[str, CheckResult]:
    """The results of requirements on evidence of any name."""
    return results(replace(evidence, model="real"), *(lines or ("id: edge, check: B4",)))
