"""What ends a certificate before its last day, and after which it is no longer current. Pure.

``ends_of`` lists it when the certificate is signed, so that a reader knows what to look at; ``certify.validity`` looks.

>>> ends_of(model="late", policy="sha256:ab", builtin=None, domain="", results=(), waivers=(), expires="2027")[0]
End(event='time', what='its last day', digest=None, at='2027')
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

from mintage.certify.check import CheckResult
from mintage.certify.clause_table import BY_PEOPLE
from mintage.certify.finding import findings_path
from mintage.certify.last_day import ends_at
from mintage.certify.revocation import revocations_path
from mintage.certify.waive import AppliedWaiver

__all__ = ["End", "Event", "end_words", "ends_of", "statement_ends"]

Event = Literal["time", "policy", "domain", "finding", "waiver", "statement", "revocation", "trust"]


class End(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event that ends a certificate: ``what`` is the file, requirement or thing that it happens to; ``digest`` what
    it must stay, ``at`` (RFC 3339, UTC) when it comes by itself."""

    event: Event
    what: str
    digest: str | None = None
    at: str | None = None


def ends_of(
    *,
    model: str,
    policy: str,
    builtin: str | None,
    domain: str,
    results: Iterable[CheckResult],
    waivers: Iterable[AppliedWaiver],
    expires: str,
) -> tuple[End, ...]:
    """The events that end a certificate of these parts, in a fixed order."""
    stated = [item for item in results if item.check in BY_PEOPLE and item.verdict == "PASS"]
    file = f"policies/{model}.yaml"
    return (
        End(event="time", what="its last day", at=expires),
        End(event="policy", what=file, digest=policy if builtin is None else None),
        End(event="domain", what=f"models/{model}.yaml", digest=domain),
        End(event="finding", what=findings_path(model)),
        *(End(event="waiver", what=item.requirement, at=ends_at(item.expires)) for item in waivers),
        *(End(event="statement", what=item.requirement, at=statement_ends(item)) for item in stated),
        End(event="revocation", what=revocations_path(model)),
        End(event="trust", what="trust.yaml"),
    )


def statement_ends(result: CheckResult) -> str:
    """When the statement of a person, which a result rests on, ends."""
    return ends_at(date.fromisoformat(str(result.details["expires"])))


def end_words(end: End) -> str:
    """The event in words, after "it holds until" or "or when"."""
    words: dict[Event, str] = {
        "time": f"it is {end.at}",
        "policy": f"{end.what} changes" if end.digest is not None else f"{end.what} is written",
        "domain": f"the domain in {end.what} changes",
        "finding": f"somebody records a finding in {end.what}",
        "waiver": f"the waiver of {end.what} ends, at {end.at}",
        "statement": f"what was signed for {end.what} ends, at {end.at}",
        "revocation": f"somebody revokes it in {end.what}",
        "trust": f"{end.what} trusts its key no more",
    }
    return words[end.event]
