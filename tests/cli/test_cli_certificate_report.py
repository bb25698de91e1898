"""What a check's result becomes on the certificate page."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from mintage.certify.check import CheckResult
from mintage.certify.example import Example
from mintage.certify.judge import Gate
from mintage.cli.certificate_report import requirement_row


def result(direction: Literal["at_least", "above", "at_most"], *, reason: str) -> CheckResult:
    return CheckResult(
        requirement="performance.auc",
        check="F1",
        check_version=1,
        title="AUC",
        severity="must",
        verdict="INCONCLUSIVE",
        reason=reason,
        estimate=0.9,
        gate=Gate(direction=direction, threshold=0.0),
        needed=688,
        needed_unit="groups",
    )


@pytest.mark.parametrize(("direction", "words"), [("at_least", "at least"), ("above", "above"), ("at_most", "at most")])
def test_the_page_names_the_gate_as_the_sentence_does(
    direction: Literal["at_least", "above", "at_most"], words: str
) -> None:
    assert requirement_row(result(direction, reason="AUC 0.9")).direction == words


def test_what_would_settle_it_is_said_once() -> None:
    assert requirement_row(result("above", reason="AUC 0.9")).settle == "about 688 groups would settle it"
    said = "AUC 0.9; about 688 groups would settle it, 228 now"
    assert requirement_row(result("above", reason=said)).settle is None


def test_examples_of_a_result_become_a_table_of_its_row() -> None:
    without = result("above", reason="AUC 0.9")
    assert requirement_row(without).examples is None and not requirement_row(without).tells
    shown = Example(of="made", row={"age": 41, "name": ""}, changed={"age": None}, about="<b>", left_out=2)
    found = requirement_row(msgspec.structs.replace(without, examples=(shown,)))
    assert found.tells and found.examples is not None
    assert found.examples.head == ("", "age", "name", "columns not shown")
    assert found.examples.lines == (("<b>", "41 → missing", '""', "2"),)
