"""What people attest where no command can decide: a signed statement with its document. See docs/spec/attested.md.

``policies/<model>.attested/<requirement>.json`` is a sealed in-toto statement whose subject is the document. It counts
when a key that trust.yaml names for certificates signed it, the document is as it was, and its last day is not past.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from mintage.attest.seal import open_sealed
from mintage.attest.statement import Statement, Subject
from mintage.attest.trust import Trust
from mintage.certify.last_day import ends_at
from mintage.errors import IntegrityError
from mintage.record.digest import hex_of, sha256_file

__all__ = ["ATTESTED_TYPE", "Attested", "attested_path", "attested_statement", "read_attested"]

ATTESTED_TYPE = "https://mintage.dev/attested/v1"
_READ = ((ATTESTED_TYPE, "attested", 1), ("https://mintage.dev/attested/v0", "attested", 0))


class _Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    version: int
    model: str
    requirement: str
    says: Annotated[str, Meta(pattern=r"\S", max_length=2000)]
    at: str
    expires: date


class Attested(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for one requirement: what is said, by whom (the key's name in trust.yaml), when, until which day,
    with which document; or ``fault``, why it does not count."""

    says: str = ""
    by: str = ""
    at: str = ""
    expires: str = ""
    document: str = ""
    digest: str = ""
    fault: str | None = None


def attested_path(model: str, requirement: str) -> str:
    """Where the statement stands, below the project's root."""
    return f"policies/{model}.attested/{requirement}.json"


def attested_statement(
    *, model: str, requirement: str, says: str, document: str, digest: str, at: str, expires: date
) -> Statement:
    """The statement to seal; ``document`` is a path below the project's root, ``digest`` its SHA-256."""
    said = _Said(kind="attested", version=1, model=model, requirement=requirement, says=says, at=at, expires=expires)
    return Statement(
        subjects=(Subject(name=document, digest={"sha256": hex_of(digest)}),),
        predicate_type=ATTESTED_TYPE,
        predicate=msgspec.to_builtins(said),
    )


def read_attested(
    root: Path, model: str, requirements: Iterable[str], *, trust: Trust, now: str
) -> dict[str, Attested]:
    """What is attested of each of ``requirements``; one of which nothing is there is left out."""
    found = {}
    for requirement in requirements:
        path = root / attested_path(model, requirement)
        if path.is_file():
            found[requirement] = _read(root, path, model=model, requirement=requirement, trust=trust, now=now)
    return found


def _read(root: Path, path: Path, *, model: str, requirement: str, trust: Trust, now: str) -> Attested:
    try:
        sealed = open_sealed(path.read_bytes(), trust.keys_for("certificate"), where=str(path))
        said = msgspec.convert(sealed.statement.predicate, _Said)
    except IntegrityError as error:
        return Attested(fault=f"{error.message}, found {error.found}" if error.found else error.message)
    except msgspec.ValidationError as error:
        return Attested(fault=f"the statement is malformed: {error}")
    statement = sealed.statement
    subject = statement.subjects[0]
    attested = Attested(
        says=said.says,
        by=trust.name_of(sealed.key_id) or sealed.key_id,
        at=said.at,
        expires=str(said.expires),
        document=subject.name,
        digest=f"sha256:{subject.digest.get('sha256')}",
    )
    fault = None
    if (statement.predicate_type, said.kind, said.version) not in _READ:
        fault = "what was signed is no statement of this kind"
    elif (said.model, said.requirement) != (model, requirement):
        fault = f"it was signed for {said.requirement} of {said.model}"
    elif now >= ends_at(said.expires):
        fault = f"it expired on {said.expires}"
    elif not _is_below(root, subject.name):
        fault = f"its document {subject.name} is not there"
    elif sha256_file(root / subject.name) != attested.digest:
        fault = f"its document {subject.name} was changed since"
    return msgspec.structs.replace(attested, fault=fault)


def _is_below(root: Path, name: str) -> bool:
    path = (root / name).resolve()
    return path.is_file() and path.is_relative_to(root.resolve())
