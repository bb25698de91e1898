"""The in-toto Statement v1: what is said (the predicate) about which things (the subjects, by digest).

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md

>>> late = Subject(name="late", digest={"sha256": "0" * 64})
>>> s = Statement(subjects=(late,), predicate_type="https://example.org/v1", predicate={})
>>> decode_statement(encode_statement(s)) == s
True
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from mintage.attest.strictjson import load_json
from mintage.errors import StatementInvalidError
from mintage.record.canonical import canonical_bytes

__all__ = ["PAYLOAD_TYPE", "STATEMENT_TYPE", "Statement", "Subject", "decode_statement", "encode_statement"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_MAX_BYTES = 16 << 20
_HEX = re.compile(r"(?:[0-9a-f]{2})+")


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a statement is about: a name for people, and its digests, algorithm to lower-case hex."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A predicate about subjects. ``predicate_type`` is a URI that says how to read ``predicate``."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]


class _Statement(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    type: str = msgspec.field(name="_type")
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]


def encode_statement(statement: Statement) -> bytes:
    """The statement's canonical bytes; raises StatementInvalidError if its subjects are not well formed."""
    try:
        _check(statement)
    except ValueError as error:
        raise _malformed(error, None) from error
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": [msgspec.to_builtins(subject) for subject in statement.subjects],
            "predicateType": statement.predicate_type,
            "predicate": statement.predicate,
        }
    )


def decode_statement(data: bytes, *, where: str | None = None) -> Statement:
    """Parse a statement strictly (unknown fields, repeated keys and names are refused)."""
    try:
        raw = msgspec.convert(load_json(data, limit=_MAX_BYTES), _Statement)
        if raw.type != STATEMENT_TYPE:
            raise ValueError(f"type {raw.type[:80]!r}, not {STATEMENT_TYPE!r}")
        statement = Statement(subjects=raw.subject, predicate_type=raw.predicate_type, predicate=raw.predicate)
        _check(statement)
    except ValueError as error:
        raise _malformed(error, where) from error
    return statement


def _check(statement: Statement) -> None:
    if not statement.subjects:
        raise ValueError("no subject")
    if not statement.predicate_type:
        raise ValueError("no predicateType")
    names = [subject.name for subject in statement.subjects]
    if "" in names or len(set(names)) != len(names):
        raise ValueError("subjects without a name, or two of the same name")
    for subject in statement.subjects:
        if not subject.digest:
            raise ValueError(f"subject {subject.name[:80]!r} has no digest")
        for algorithm, value in subject.digest.items():
            if _HEX.fullmatch(value) is None or (algorithm == "sha256" and len(value) != 64):
                raise ValueError(f"subject {subject.name[:80]!r} has a {algorithm[:20]} digest that is not one")


def _malformed(error: ValueError, where: str | None) -> StatementInvalidError:
    return StatementInvalidError(
        "the signed statement is malformed", expected="an in-toto Statement v1", found=str(error), where=where
    )
