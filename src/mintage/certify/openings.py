"""Which openings of a sealed hold-out there were, and whether one more may be. Pure.

Openings stand in one file in Git, one signed line each, and each names the SHA-256 of the line before: none can be
changed, taken out or put between. That the last ones were cut off shows elsewhere: the holder's audit log has each
opening, a commitment names the last one that its author knew, and a certificate the one that it was made in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from mintage.attest.keys import PublicKey
from mintage.audit.events import AuditEvent
from mintage.certify.sealed import Commitment, HoldoutSeal, Opening, read_signed
from mintage.errors import BudgetSpentError, HoldoutHistoryError, HoldoutPassedError, OpeningReplayedError

__all__ = ["Entered", "Line", "check_entered", "entered_openings", "next_number", "read_openings"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what it says, its SHA-256, and the id of the key that signed it."""

    opening: Opening
    digest: str
    key_id: str


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit log has of one opening: when it was entered, before the look, and the SHA-256 of its line (None: it
    broke off before it was signed)."""

    number: int
    committed: str
    policy: str
    at: str
    line: str | None


def read_openings(data: bytes, keys: Iterable[PublicKey], *, where: str) -> tuple[Line, ...]:
    """The chain, whole; raises HoldoutHistoryError where it is not, or an IntegrityError of a line."""
    known, lines = list(keys), []
    for number, text in enumerate(data.splitlines(), 1):
        opening, signed = read_signed(text, Opening, known, where=f"{where}:{number}")
        lines.append(Line(opening=opening, digest=signed.digest, key_id=signed.key_id))
    last: dict[str, int] = {}
    for place, line in enumerate(lines):
        before = lines[place - 1].digest if place else None
        if line.opening.previous != before:
            raise _rewritten("an opening does not follow the one before it", before, line.opening.previous, where)
        if line.opening.number <= last.get(line.opening.seal, 0):
            raise _rewritten(
                "the numbers of the openings do not rise",
                f"more than {last[line.opening.seal]}",
                str(line.opening.number),
                where,
            )
        last[line.opening.seal] = line.opening.number
    return tuple(lines)


def entered_openings(events: Iterable[AuditEvent], seal: str) -> tuple[Entered, ...]:
    """What a log has of the openings of one seal, by number."""
    found: dict[int, Entered] = {}
    for event in events:
        if event.details.get("seal") != seal or "number" not in event.details:
            continue
        number = int(event.details["number"])
        if event.action == "holdout.open" and number not in found:
            found[number] = Entered(
                number=number,
                committed=str(event.details["committed"]),
                policy=str(event.details["policy"]),
                at=event.at,
                line=None,
            )
        elif event.action == "holdout.opened" and number in found:
            found[number] = msgspec.structs.replace(found[number], line=str(event.details["opening"]))
    return tuple(found[number] for number in sorted(found))


def check_entered(lines: Sequence[Line], entered: Sequence[Entered], *, where: str) -> None:
    """Raise HoldoutHistoryError if a signed opening that the log has is not in the file."""
    there = {line.digest for line in lines}
    for item in entered:
        if item.line is not None and item.line not in there:
            raise _rewritten(f"opening {item.number} of {item.at} is gone", item.line, "no such line", where)


def next_number(
    seal: HoldoutSeal,
    digest: str,
    commitment: Commitment,
    committed: str,
    *,
    lines: Sequence[Line],
    entered: Sequence[Entered],
    where: str,
) -> int:
    """The number of the opening of what was committed; one that broke off keeps its number.

    Raises HoldoutHistoryError, OpeningReplayedError, HoldoutPassedError or BudgetSpentError.
    """
    check_entered(lines, entered, where=where)
    _check_known(commitment, lines, where)
    own = [line.opening for line in lines if line.opening.seal == digest]
    done = next((item for item in own if item.committed == committed), None)
    if done is not None:
        raise OpeningReplayedError(
            f"what waits was opened before, as number {done.number} of {done.budget}",
            found="it passed" if done.passed else "it did not pass",
            where=where,
            hint="the model's author commits to another model: `mintage certify`",
        )
    other = next((item for item in (line.opening for line in lines) if _same_rows(item, seal, digest)), None)
    if other is not None:
        raise _rewritten("these rows were sealed and opened before under another seal", other.seal, digest, where)
    passed = next((item for item in own if item.passed and item.root != commitment.root), None)
    if passed is not None:
        raise HoldoutPassedError(
            "a model has passed on these rows, and its figures are known",
            found=f"{passed.root}, opening {passed.number}",
            where=where,
            hint="seal rows that nobody has seen for the next model: `mintage holdout seal`",
        )
    begun = next((item.number for item in entered if item.committed == committed), None)
    if begun is not None:
        return begun
    used = max([item.number for item in own] + [item.number for item in entered], default=0)
    if used >= seal.budget:
        raise BudgetSpentError(
            "the hold-out was opened as often as its seal allows",
            expected=f"fewer than {seal.budget} openings",
            found=str(used),
            where=where,
            hint="seal rows that nobody has seen: `mintage holdout seal`",
        )
    return used + 1


def _check_known(commitment: Commitment, lines: Sequence[Line], where: str) -> None:
    if commitment.last is not None and commitment.last not in {line.digest for line in lines}:
        raise _rewritten(
            "an opening that the model's author knew is gone", commitment.last, f"{len(lines)} openings", where
        )


def _same_rows(opening: Opening, seal: HoldoutSeal, digest: str) -> bool:
    return opening.rows == seal.rows and opening.seal != digest


def _rewritten(message: str, expected: str | None, found: str | None, where: str) -> HoldoutHistoryError:
    return HoldoutHistoryError(
        message,
        expected=expected or "the first opening",
        found=found or "the first opening",
        where=where,
        hint="compare with the other clone's file and audit log, and keep both as evidence",
    )
