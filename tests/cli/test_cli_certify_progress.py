"""What is shown while checks run: each in a terminal, those that take long elsewhere."""

from __future__ import annotations

import pytest

from mintage.certify.check import CheckResult, Requirement
from mintage.certify.judge import Verdict
from mintage.cli.certify_progress import CheckProgress


def shown(*, every: bool) -> tuple[list[str], list[tuple[float, str | None]]]:
    """Three checks: one of a second, one of 40, one that is known."""
    lines: list[str] = []
    moves: list[tuple[float, str | None]] = []
    ticks = iter([0.0, 0.0, 1.0, 1.0, 41.0, 41.0, 41.0])

    def advance(done: float, *, title: str | None = None) -> None:
        moves.append((done, title))

    seen = CheckProgress(advance, lines.append, every=every, clock=lambda: next(ticks))
    cases: tuple[tuple[str, str, Verdict, bool], ...] = (
        ("auc", "F1", "PASS", False),
        ("alike", "L6", "FAIL", False),
        ("champion", "F3", "NOT_APPLICABLE", True),
    )
    for name, check, verdict, kept in cases:
        seen.started(Requirement(id=name, check=check))
        result = CheckResult(
            requirement=name, check=check, check_version=0, title="t", severity="must", verdict=verdict, reason="r"
        )
        seen.ended(result, kept=kept)
    return lines, moves


@pytest.mark.parametrize(
    ("every", "lines"),
    [
        (True, ["  F1   auc: PASS, 1.0 s", "  L6   alike: FAIL, 40.0 s", "  F3   champion: NOT APPLICABLE, kept"]),
        (False, ["  L6   alike: FAIL, 40.0 s"]),
    ],
)
def test_each_check_has_its_line_in_a_terminal_and_the_slow_ones_elsewhere(every: bool, lines: list[str]) -> None:
    assert shown(every=every)[0] == lines


def test_the_bar_names_the_check_that_runs() -> None:
    moves = shown(every=True)[1]
    assert moves == [(0, "F1 auc"), (1, None), (1, "L6 alike"), (2, None), (2, "F3 champion"), (3, None)]
