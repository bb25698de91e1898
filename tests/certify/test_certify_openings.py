"""The chain of openings: which may be, and what shows that one was cut off, changed, or made twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mintage.attest.encrypt import Encrypted
from mintage.attest.keys import FileSigner
from mintage.attest.seal import seal
from mintage.audit.events import AuditEvent
from mintage.certify.holdout_use import LogMark
from mintage.certify.openings import Line, check_entered, entered_openings, next_number, read_openings
from mintage.certify.sealed import Commitment, HoldoutSeal, Opening, read_signed, statement_of
from mintage.errors import (
    BudgetSpentError,
    HoldoutHistoryError,
    HoldoutPassedError,
    IntegrityError,
    OpeningReplayedError,
    SignatureInvalidError,
    StatementInvalidError,
)

AT, ROWS, OTHER_ROWS = "2026-11-01T12:00:00Z", "b3:" + "0" * 64, "b3:" + "1" * 64
WHERE = "holdouts/late/openings.jsonl"


def sha(digit: str) -> str:
    return "sha256:" + digit * 64


SEAL = HoldoutSeal(
    model="late",
    rows=ROWS,
    at=AT,
    path="data/holdout.csv",
    target="late",
    count=9,
    budget=3,
    to=sha("b"),
    labels=Encrypted(point="", nonce="", ciphertext=""),
)


def commitment(root: str = "1", last: str | None = None) -> Commitment:
    said: dict[str, Any] = {"root": sha(root), "policy": sha("c"), "seal": sha("5"), "answers": sha("a")}
    return Commitment(model="late", rows=ROWS, at=AT, last=last, **said)


class Chain:
    """The holder's file, grown line by line."""

    def __init__(self, ben: FileSigner) -> None:
        self.ben, self.data = ben, b""

    def add(self, number: int, **changes: Any) -> str:
        lines = self.lines()
        said: dict[str, Any] = {
            "model": "late",
            "rows": ROWS,
            "at": AT,
            "root": sha(str(number)),
            "policy": sha("c"),
            "seal": sha("5"),
            "number": number,
            "budget": 3,
            "committed": sha(str(number)),
            "previous": lines[-1].digest if lines else None,
            "passed": False,
            "certificate": ROWS,
            "log": LogMark(key="k", note="n"),
        }
        self.data += seal(statement_of(Opening(**(said | changes))), self.ben) + b"\n"
        return self.lines()[-1].digest

    def lines(self) -> tuple[Line, ...]:
        return read_openings(self.data, [self.ben.public], where=WHERE)

    def next(self, said: Commitment, committed: str, **more: Any) -> int:
        parts = {"lines": self.lines(), "entered": (), "where": WHERE} | more
        return next_number(SEAL, sha("5"), said, committed, **parts)


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(FileSigner.create(tmp_path / "ben.pem", name="ben"))


def entered(number: int, line: str | None = None, committed: str = "9") -> list[AuditEvent]:
    def event(action: str, **details: str) -> AuditEvent:
        said = {"seal": sha("5"), "number": str(number), **details}
        return AuditEvent(at=AT, actor="a", action=action, resource="late", decision="allow", rule="r", details=said)

    opened = [event("holdout.open", committed=sha(committed), policy=sha("c"))]
    return opened if line is None else [*opened, event("holdout.opened", opening=line)]


def test_openings_are_numbered_until_the_budget_is_used_up(chain: Chain) -> None:
    for number in (1, 2, 3):
        assert chain.next(commitment(), sha("9")) == number
        chain.add(number)
    with pytest.raises(BudgetSpentError):
        chain.next(commitment(), sha("9"))


def test_what_was_opened_is_not_opened_again(chain: Chain) -> None:
    chain.add(1)
    with pytest.raises(OpeningReplayedError, match="as number 1 of 3"):
        chain.next(commitment("1"), sha("1"))


def test_an_opening_that_broke_off_keeps_its_number_for_what_was_committed(chain: Chain) -> None:
    begun = entered_openings(entered(1), sha("5"))
    assert chain.next(commitment(), sha("9"), entered=begun) == 1
    assert chain.next(commitment(), sha("8"), entered=begun) == 2


def test_the_budget_counts_what_the_log_has_too(chain: Chain) -> None:
    begun = entered_openings([event for number in (1, 2, 3) for event in entered(number)], sha("5"))
    with pytest.raises(BudgetSpentError):
        chain.next(commitment(), sha("8"), entered=begun)


def test_after_a_pass_only_the_model_that_passed_is_opened_again(chain: Chain) -> None:
    chain.add(1, passed=True)
    assert chain.next(commitment("1"), sha("9")) == 2
    with pytest.raises(HoldoutPassedError):
        chain.next(commitment("2"), sha("9"))


@pytest.mark.parametrize("kept", [0, 1])
def test_openings_cut_off_at_the_end_are_missed_by_the_log_and_by_the_author(chain: Chain, kept: int) -> None:
    chain.add(1)
    last = chain.add(2)
    chain.data = b"".join(chain.data.splitlines(keepends=True)[:kept])
    with pytest.raises(HoldoutHistoryError, match="opening 2"):
        check_entered(chain.lines(), entered_openings(entered(2, last), sha("5")), where=WHERE)
    with pytest.raises(HoldoutHistoryError, match="author knew"):
        chain.next(commitment(last=last), sha("9"))


@pytest.mark.parametrize("order", [(1,), (0, 2), (1, 0, 2), (0, 1, 1, 2)])
def test_a_line_taken_out_moved_or_doubled_breaks_the_chain(chain: Chain, order: tuple[int, ...]) -> None:
    for number in (1, 2, 3):
        chain.add(number)
    lines = chain.data.splitlines(keepends=True)
    chain.data = b"".join(lines[place] for place in order)
    with pytest.raises(HoldoutHistoryError):
        chain.lines()


def test_a_number_that_does_not_rise_breaks_the_chain(chain: Chain) -> None:
    chain.add(2)
    with pytest.raises(HoldoutHistoryError, match="do not rise"):
        chain.add(1)


def test_a_changed_byte_and_a_line_by_another_key_are_refused(chain: Chain, tmp_path: Path) -> None:
    chain.add(1)
    eve = FileSigner.create(tmp_path / "eve.pem", name="eve")
    with pytest.raises(SignatureInvalidError):
        read_openings(chain.data, [eve.public], where=WHERE)
    text = chain.data.replace(b'"sig":"M', b'"sig":"N')
    assert text != chain.data
    with pytest.raises(IntegrityError):
        read_openings(text, [chain.ben.public], where=WHERE)


def test_rows_sealed_again_get_no_second_budget(chain: Chain) -> None:
    chain.add(1, seal=sha("4"))
    with pytest.raises(HoldoutHistoryError, match="another seal"):
        chain.next(commitment(), sha("9"))


def test_other_rows_under_another_seal_count_on_their_own(chain: Chain) -> None:
    chain.add(1, seal=sha("4"), rows=OTHER_ROWS)
    assert chain.next(commitment(), sha("9")) == 1


def test_one_statement_does_not_pass_for_another(chain: Chain) -> None:
    data = seal(statement_of(commitment()), chain.ben)
    assert read_signed(data, Commitment, [chain.ben.public], where=WHERE)[0] == commitment()
    with pytest.raises(StatementInvalidError):
        read_signed(data, Opening, [chain.ben.public], where=WHERE)
    other = msgspec.structs.replace(statement_of(commitment()), predicate_type="https://mintage.dev/other/v0")
    with pytest.raises(StatementInvalidError):
        read_signed(seal(other, chain.ben), Commitment, [chain.ben.public], where=WHERE)
