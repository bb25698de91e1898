"""What one entry of the audit log says, and its bytes.

An entry's body is canonical JSON: ``{"kind": "audit", "version": 0, "seq", "at", "actor", "action", "resource",
"decision", "rule", "details"}``. It names people by account only: an append-only log cannot forget.

>>> event = AuditEvent(at="2026-11-01T12:00:00Z", actor="user:ana@lab", action="model.load", resource="late",
...                    decision="deny", rule="certificate-required", details={})
>>> decode_event(encode_event(event, seq=7)) == (7, event)
True
"""

from __future__ import annotations

import datetime
import os
import pwd
import re
from typing import Any, Literal

import msgspec

from mintage.errors import AuditEventError, RecordInvalidError
from mintage.record.canonical import canonical_bytes

__all__ = ["MAX_BODY", "AuditEvent", "actor_of_process", "decode_event", "encode_event", "entry_number"]

MAX_BODY = 65_535
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One access or change: when (RFC 3339, UTC), who, did what, to what, allowed or denied, and by which rule."""

    at: str
    actor: str
    action: str
    resource: str
    decision: Literal["allow", "deny"]
    rule: str
    details: dict[str, Any]


class _Body(AuditEvent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Literal["audit"]
    version: Literal[0]
    seq: int


_BODY = msgspec.json.Decoder(_Body)


def encode_event(event: AuditEvent, *, seq: int) -> bytes:
    """The body of entry ``seq``; raises AuditEventError if the event is not well formed or over 65535 bytes."""
    for field in ("actor", "action", "resource", "rule"):
        if not getattr(event, field):
            raise AuditEventError(f"an audit event without {field}", expected=f"the {field}", found="nothing")
    if event.decision not in ("allow", "deny"):
        raise AuditEventError("not a decision", expected="allow or deny", found=repr(event.decision))
    if not _is_time(event.at):
        raise AuditEventError("not a time", expected="RFC 3339 in UTC", found=repr(event.at))
    try:
        body = canonical_bytes({"kind": "audit", "version": 0, "seq": seq, **msgspec.to_builtins(event)})
    except (RecordInvalidError, TypeError, UnicodeEncodeError) as error:
        raise AuditEventError("the details have no canonical JSON form", found=str(error)) from error
    if len(body) > MAX_BODY:
        raise AuditEventError("the event is too large", expected=f"at most {MAX_BODY} bytes", found=str(len(body)))
    return body


def decode_event(body: bytes) -> tuple[int, AuditEvent]:
    """Number and event of a body; raises AuditEventError for anything that ``encode_event`` would not write."""
    raw = _parse(body)
    event = AuditEvent(**{field: getattr(raw, field) for field in AuditEvent.__struct_fields__})
    if encode_event(event, seq=raw.seq) != body:
        raise AuditEventError("not the body of an audit entry", found="not in canonical form")
    return raw.seq, event


def entry_number(body: bytes) -> int:
    """The number that a body says it has; raises AuditEventError if it has not the fields of one. Quick."""
    return _parse(body).seq


def actor_of_process() -> str:
    """``user:<account>@<host>``: the account that the operating system runs this process under."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    return f"user:{account}@{os.uname().nodename}"


def _parse(body: bytes) -> _Body:
    try:
        return _BODY.decode(body)
    except ValueError as error:
        raise AuditEventError("not the body of an audit entry", found=str(error)) from error


def _is_time(text: str) -> bool:
    if _TIME.fullmatch(text) is None:
        return False
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
