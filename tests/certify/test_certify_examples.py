"""Examples: small, plain, kept back where rows must not be shown, and no part of what waivers and old digests name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from certify_evidence import make_evidence, with_copied_rows

from mintage.attest.statement import Statement
from mintage.certify.answers import Answers
from mintage.certify.certificate import certificate_statement, parse_certificate
from mintage.certify.certify import Outcome, certify
from mintage.certify.evidence import Evidence
from mintage.certify.example import Example, answer_texts, example_of, plain_value
from mintage.certify.example_words import example_table
from mintage.certify.finding import AnsweredFinding
from mintage.certify.holdout_use import HoldoutUse, SealedUse
from mintage.certify.kept_files import KeptFiles
from mintage.certify.kept_results import KeptResults
from mintage.certify.policy import parse_policy
from mintage.certify.served import Columns, Served
from mintage.certify.waiver import result_digest
from mintage.errors import CertificateInvalidError

POLICY = """
model: late
owner: risk@example.org
statistics: {seed: 1, draws: 400}
requirements:
  - {id: shared, check: L1}
  - {id: edge, check: B4}
  - {id: people, check: B5}
  - {id: batch, check: B1}
"""
FINDING = AnsweredFinding(
    finding="f-40130e385c",
    expect="label=1",
    answer="label 0",
    met=False,
    is_open=True,
    author="ana@example.org",
    at="2026-11-01T12:00:00Z",
    about="a storm",
    row={"a": 1.5, "b": None, "kind": "x"},
)
SEALED = SealedUse(seal="sha256:1", number=1, budget=1, holder="ben", committed="sha256:2")
USE = HoldoutUse(digest="b3:0", models=1, looks=1, sealed=SEALED)


def by_batch(columns: Columns) -> Answers:
    """A model that breaks on a missing ``a``, and whose answers depend on what else is asked."""
    if np.isnan(columns["a"]).any():
        raise ValueError("no a")
    shifted = columns["a"] - columns["a"][0]
    return Answers(task="binary", values=1 / (1 + np.exp(-shifted)))


def faulty(**changes: Any) -> Evidence:
    served = Served(by_batch, identity="by batch")
    return with_copied_rows(make_evidence(served=served, findings=(FINDING,), **changes), 0.05)


def judged(line: str = "", **rest: Any) -> Outcome:
    return certify(faulty(), parse_policy((POLICY + line).encode(), where="policies/late.yaml"), **rest)


def shown(outcome: Outcome) -> dict[str, int]:
    return {item.requirement: len(item.examples) for item in outcome.results if item.examples}


def stated(outcome: Outcome) -> Statement:
    return certificate_statement(outcome, files={}, issued="2026-11-01T12:00:00Z")


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return judged()


def test_results_show_the_rows_that_they_are_about(outcome: Outcome) -> None:
    found = {item.requirement: item.examples for item in outcome.results}
    evidence = faulty()
    assert shown(outcome) == {"shared": 5, "edge": 5, "people": 1, "batch": 5}
    shared, edge, finding, moved = (found[name][0] for name in ("shared", "edge", "people", "batch"))
    assert shared.about == "row 0, training 0"
    assert shared.row["a"] == evidence.holdout.columns["a"][0] == evidence.train.columns["a"][0]
    assert (edge.of, edge.row["a"], edge.answered, edge.expected) == ("made", None, "ValueError: no a", "an answer")
    assert (finding.row, finding.answered, finding.about) == (FINDING.row, "label 0", "f-40130e385c: a storm")
    before, after = map(float, moved.answered.split(" → "))
    assert abs(before - after) > 0.1
    assert (moved.expected, moved.about) == ("the same", "moved by row order")


def test_the_same_evidence_shows_the_same_rows(outcome: Outcome) -> None:
    assert judged().results == outcome.results


def test_a_certificate_carries_its_examples_to_the_last_bit(outcome: Outcome) -> None:
    statement = stated(outcome)
    assert parse_certificate(statement).results == outcome.results
    assert "a storm" in json.dumps(statement.predicate["results"])
    assert all("row" not in finding for finding in statement.predicate["findings"])
    statement.predicate["results"][0]["examples"][0]["answered"] = "0.9"
    with pytest.raises(CertificateInvalidError, match="not those that the statistics name"):
        parse_certificate(statement)


def test_a_certificate_of_before_there_were_examples_is_still_read() -> None:
    statement = stated(judged("examples: false\n"))
    for result in statement.predicate["results"]:
        del result["examples"]
    assert {item.examples for item in parse_certificate(statement).results} == {()}


def test_a_policy_without_examples_lets_no_row_into_the_certificate(outcome: Outcome) -> None:
    silent = judged("examples: false\n")
    assert shown(silent) == {}
    assert [item.verdict for item in silent.results] == [item.verdict for item in outcome.results]
    values = faulty().holdout.columns["a"][:200].tolist()
    told, untold = (json.dumps(stated(each).predicate) for each in (outcome, silent))
    assert [value for value in values if str(value) in told]
    assert not [value for value in values if str(value) in untold]


def test_a_sealed_hold_out_shows_none_of_its_rows() -> None:
    assert shown(judged(use=USE)) == {"edge": 5, "people": 1}


def test_a_waiver_is_bound_to_what_was_found_and_not_to_its_examples(outcome: Outcome) -> None:
    one = outcome.results[0]
    assert result_digest(msgspec.structs.replace(one, examples=())) == result_digest(one)
    assert result_digest(msgspec.structs.replace(one, rows=1)) != result_digest(one)


def test_kept_results_carry_what_may_be_shown_and_no_more(tmp_path: Path, outcome: Outcome) -> None:
    def again(line: str = "") -> Outcome:
        return judged(line, keep=KeptResults(KeptFiles(tmp_path, most_bytes=10**9, fresh=False), environment="e"))

    assert again("examples: false\n").kept == frozenset()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"a storm" not in written and b"looked_at" in written
    assert again().kept == frozenset()  # no result without its rows is taken for one with
    told = again()
    assert told.kept >= {"shared", "people"} and told.results == outcome.results


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(3.0), 3),
        (np.float64("nan"), None),
        (float("-inf"), "-inf"),
        (2**60, float(2**60)),
        (np.int64(7), 7),
        (True, True),
        ("a\x1b[31m\u202eb\ud800", "a\ufffd[31m\ufffdb\ufffd"),
        ("W" * 1000, "W" * 199 + "…"),
    ],
)
def test_values_become_numbers_and_short_printable_texts(value: object, plain: object) -> None:
    found = plain_value(value)
    assert found == plain and type(found) is type(plain)


def test_of_many_columns_those_that_changed_are_kept() -> None:
    columns = {f"c{number:03d}": np.array([1.0]) for number in range(100)}
    found = example_of(columns, 0, of="hold-out", changed={"c099": np.array([2.0]), "c098": np.array([1.0])})
    assert (len(found.row), found.left_out, found.changed) == (30, 70, {"c099": 2})


@pytest.mark.parametrize(
    "wrong",
    [
        {"row": {}},
        {"row": {f"c{number}": 1 for number in range(31)}},
        {"row": {"a": "x\n"}},
        {"row": {"a\x00": 1}},
        {"row": {"a": 1}, "about": "y" * 201},
        {"row": {"a": 1}, "changed": {"b": 1}},
        {"row": {"a": [1]}},
        {"row": {"a": 1}, "of": "somewhere"},
        {"row": {"a": 1}, "more": 1},
    ],
)
def test_an_example_that_is_not_small_and_plain_is_refused_when_it_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"of": "made", **wrong}, Example)


def test_answers_that_differ_look_different_and_a_class_has_its_name() -> None:
    assert answer_texts(0.25, 0.5) == ["0.25", "0.5"]
    assert len(set(answer_texts(0.25, 0.25 + 1e-13))) == 2
    assert answer_texts(np.array([0.2, 0.8]), classes=("on time", "late")) == ["late 0.8"]


def test_wide_rows_stand_side_by_side() -> None:
    rows = {name: np.array([1.0, 2.5]) for name in "abcde"}
    other = {"c": np.array([np.nan, 4.0])}
    found = [example_of(rows, place, of="hold-out", changed=other, answered="x") for place in (0, 1)]
    head, lines = example_table(found)
    assert head == ("", "1", "2")
    assert lines[:3] == (("c", "1 → missing", "2.5 → 4"), ("answered", "x", "x"), ("a", "1", "2.5"))
    assert [line[0] for line in lines] == ["c", "answered", "a", "b", "d", "e"]
    assert example_table(found[:1], most=4)[1][0] == ("c", "1 →…")
