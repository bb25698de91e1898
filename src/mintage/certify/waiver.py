"""Waivers, ``policies/<model>.waivers.yaml``: a person lets one failed result stand, for a time.

See docs/spec/waiver.md.
A waiver never makes a FAIL a PASS. It is bound to the digest of the very result, so that another result, a worse one
above all, needs a new waiver; it names who approved it, for which commit, and when it ends.

>>> waiver = Waiver(requirement="auc", result="sha256:" + "0" * 64, reason="r", compensating="c",
...                 approver="ana@example.org", approved_commit="4a1c" * 10, expires=date(2027, 1, 31))
>>> waiver.expires.isoformat()
'2027-01-31'
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.certify.beside_policy import read_beside
from mintage.certify.check import CheckResult
from mintage.errors import FileMalformedError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import sha256_bytes

__all__ = [
    "MAX_DAYS",
    "Waiver",
    "WaiverEntry",
    "parse_waivers",
    "read_waivers",
    "result_digest",
    "waivers_path",
]

MAX_DAYS = 90
_HINT = "see docs/spec/waiver.md, or let `mintage waiver propose MODEL REQUIREMENT` write the lines"
_Said = Annotated[str, Meta(pattern=r"\S", max_length=2000)]


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One waiver as the file has it. ``result`` is the digest of the failed result, ``approved_commit`` the commit that
    the model was trained from, ``expires`` the last day (UTC) on which it holds."""

    requirement: str
    result: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
    reason: _Said
    compensating: _Said
    approver: Annotated[str, Meta(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
    approved_commit: Annotated[str, Meta(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    expires: date


class WaiverEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A waiver with the lines of the file, from 1, on which it stands."""

    waiver: Waiver
    where: str
    first_line: int
    last_line: int


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    model: str
    waivers: tuple[Waiver, ...]


def waivers_path(model: str) -> str:
    """Where a model's waivers stand, below the project's root."""
    return f"policies/{model}.waivers.yaml"


def read_waivers(root: Path, model: str) -> tuple[WaiverEntry, ...]:
    """The waivers of a model; none if there is no file."""
    path = root / waivers_path(model)
    return parse_waivers(path.read_bytes(), model=model, where=str(path)) if path.is_file() else ()


def parse_waivers(data: bytes, *, model: str, where: str) -> tuple[WaiverEntry, ...]:
    """Parse and check; raises FileMalformedError with file, line and column."""
    file, marks = read_beside(data, _File, key="waivers", of="waivers", model=model, where=where, hint=_HINT)
    seen: set[str] = set()
    entries = []
    for index, waiver in enumerate(file.waivers):
        at = marks.at(("waivers", index))
        if waiver.result in seen:
            raise FileMalformedError("a result is waived twice", found=waiver.result, where=at, hint="delete one")
        seen.add(waiver.result)
        lines = [line for path, (line, _) in marks.places.items() if path[:2] == ("waivers", index)]
        entries.append(
            WaiverEntry(waiver=waiver, where=at, first_line=min(lines), last_line=_last_line(data, max(lines)))
        )
    return tuple(entries)


def result_digest(result: CheckResult) -> str:
    """SHA-256 of a result's canonical bytes, its examples left out: what a waiver is bound to."""
    values = msgspec.to_builtins(result)
    del values["examples"]  # they illustrate the numbers, and whether they are told is the policy's choice
    return sha256_bytes(canonical_bytes(values))


def _last_line(data: bytes, line: int) -> int:
    """The last line of the value that begins on ``line``, which may be folded over more lines."""
    lines = data.decode().splitlines()
    own = _indent(lines[line - 1])
    while line < len(lines) and lines[line].strip() and _indent(lines[line]) > own:
        line += 1
    return line


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
