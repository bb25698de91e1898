"""Findings by people, ``policies/<model>.findings.jsonl``: rows with the answer that somebody expects of every model.

One JSON object a line, only ever added: a finding, or the closing of one. A closed finding is checked for ever; an open
one stands on the certificate too. See docs/spec/finding.md.

>>> line = finding_line(row={"age": 41}, expect="label=late", author="ana@example.org", at="2026-11-01T12:00:00Z")
>>> [found.finding for found in parse_findings(line.encode(), where="x")]
['f-40130e385c']
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mintage.certify.expectation import parse_expectation
from mintage.errors import FileMalformedError, FindingRemovedError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import hex_of, sha256_bytes
from mintage.repo.git import Git
from mintage.repo.removed_lines import removed_line

__all__ = [
    "AnsweredFinding",
    "Finding",
    "check_kept",
    "closing_line",
    "finding_line",
    "findings_path",
    "parse_findings",
    "read_findings",
    "without_row",
]

_Mail = Annotated[str, Meta(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
_Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
_Id = Annotated[str, Meta(pattern=r"^f-[0-9a-f]{10}$")]
_HINT = "see docs/spec/finding.md; `mintage finding add` and `close` write the lines"


class _Added(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    finding: _Id
    row: dict[str, float | int | str | None]
    expect: str
    author: _Mail
    at: _Time
    about: str = ""


class _Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    close: _Id
    by: _Mail
    at: _Time
    why: Annotated[str, Meta(pattern=r"\S")]


class Finding(_Added, frozen=True, kw_only=True):
    """A finding; ``closed_at`` and ``closed_why`` None say that it is open."""

    closed_at: str | None = None
    closed_why: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed_at is None


class AnsweredFinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A finding with what the model says now: its ``answer`` in words, and whether that is as expected.

    ``row`` is for the checks; a certificate's list of findings does without it."""

    finding: str
    expect: str
    answer: str
    met: bool
    is_open: bool
    author: str
    at: str
    about: str
    row: dict[str, float | int | str | None] = {}


def without_row(item: AnsweredFinding) -> AnsweredFinding:
    """As a certificate lists it."""
    return msgspec.structs.replace(item, row={})


def findings_path(model: str) -> str:
    """Where a model's findings stand, below the project's root."""
    return f"policies/{model}.findings.jsonl"


def parse_findings(data: bytes, *, where: str) -> tuple[Finding, ...]:
    """Parse and check, in the order of the file; raises FileMalformedError with the line."""
    found: dict[str, Finding] = {}
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        place = f"{where}:{number}"
        try:
            value = json.loads(line)
            if isinstance(value, dict) and "close" in value:
                _close(found, msgspec.convert(value, _Closed))
            else:
                _add(found, msgspec.convert(value, _Added))
        except (ValueError, msgspec.ValidationError) as error:
            raise FileMalformedError("not a line of findings", found=str(error), where=place, hint=_HINT) from None
    return tuple(found.values())


def _add(found: dict[str, Finding], added: _Added) -> None:
    parse_expectation(added.expect)
    if added.finding in found:
        raise ValueError(f"the finding {added.finding} stands there twice")
    if added.finding != _id_of(added.row, added.expect):
        raise ValueError(f"the id of {added.finding} is not that of its row and expectation: it was edited")
    found[added.finding] = Finding(**msgspec.structs.asdict(added))


def _close(found: dict[str, Finding], closed: _Closed) -> None:
    if closed.close not in found or not found[closed.close].is_open:
        raise ValueError(f"there is no open finding {closed.close} above")
    found[closed.close] = msgspec.structs.replace(found[closed.close], closed_at=closed.at, closed_why=closed.why)


def read_findings(git: Git, model: str) -> tuple[tuple[Finding, ...], bytes]:
    """The findings of a model and the bytes of their file, none of a model without; raises what ``parse_findings`` and
    ``check_kept`` do."""
    path = findings_path(model)
    file = git.root / path
    data = file.read_bytes() if file.is_file() else b""
    check_kept(git, path, data)
    return parse_findings(data, where=path), data


def finding_line(*, row: dict[str, Any], expect: str, author: str, at: str, about: str = "") -> str:
    """The line of a new finding; its id follows from row and expectation."""
    added = {"finding": _id_of(row, expect), "row": row, "expect": expect, "author": author, "at": at}
    return json.dumps(added | ({"about": about} if about else {}), ensure_ascii=False) + "\n"


def closing_line(*, finding: str, by: str, at: str, why: str) -> str:
    """The line that closes a finding."""
    return json.dumps({"close": finding, "by": by, "at": at, "why": why}, ensure_ascii=False) + "\n"


def check_kept(git: Git, path: str, data: bytes) -> None:
    """Raise FindingRemovedError if a line that some commit had is not in ``data``: what was found is never unfound."""
    gone = removed_line(git, path, data)
    if gone is not None:
        raise FindingRemovedError(
            "a finding was removed or edited; findings are only added to",
            expected=gone[0].decode(errors="replace")[:200],
            found="no such line",
            where=path,
            hint=f"bring it back, as in commit {gone[1][:10]}; `mintage finding close` says that one is mended",
        )


def _id_of(row: dict[str, Any], expect: str) -> str:
    return f"f-{hex_of(sha256_bytes(canonical_bytes({'row': row, 'expect': expect})))[:10]}"
