"""The signed statement about a result: who says that this key gave these outputs. Pure.

Its subjects are the outputs, its predicate the cache key with its parts, the metrics, the run's record and its commit.
``read_shared`` believes nothing that does not fit together: the key must be that of the parts, the outputs those of the
subjects. Whether the signer counts is judged in ``choose``, and that the record says the same in ``find``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from mintage.attest.statement import Statement, Subject
from mintage.errors import RecordInvalidError, StatementInvalidError
from mintage.pipeline.facts import StageResult
from mintage.pipeline.key import cache_key
from mintage.record.digest import hex_of
from mintage.record.manifest import safe_path
from mintage.repo.locks import Item

__all__ = ["PREDICATE_TYPE", "SharedResult", "read_shared", "shared_statement"]

PREDICATE_TYPE = "https://mintage.dev/shared-result/v0"

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MADE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class SharedResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The predicate: under ``key``, made of ``parts``, the ``stage`` gave ``outputs`` and ``metrics``; the record
    ``run`` says how, at ``commit``, ``by`` whom; it was ``made`` then (RFC 3339 in UTC)."""

    stage: str
    key: str
    parts: dict[str, Any]
    outputs: tuple[Item, ...]
    run: str
    commit: str
    by: str
    made: str
    metrics: tuple[tuple[str, float | None, int], ...] = ()
    mlflow: str | None = None
    root: str | None = None
    record: str | None = None

    @property
    def result(self) -> StageResult:
        """What a run takes of it."""
        return StageResult(
            outputs=self.outputs,
            run=self.run,
            metrics=self.metrics,
            mlflow=self.mlflow,
            root=self.root,
            record=self.record,
        )


def shared_statement(shared: SharedResult, *, sha256: Mapping[str, str]) -> Statement:
    """The statement; ``sha256`` has, by path, the SHA-256 digest of an output's bytes, or of a folder's manifest."""
    return Statement(
        subjects=tuple(
            Subject(name=item.path, digest={"blake3": hex_of(item.digest), "sha256": hex_of(sha256[item.path])})
            for item in shared.outputs
        ),
        predicate_type=PREDICATE_TYPE,
        predicate=msgspec.to_builtins(shared),
    )


def read_shared(statement: Statement, *, where: str | None = None) -> SharedResult:
    """The result that a statement is about; raises StatementInvalidError if it does not fit together."""
    try:
        if statement.predicate_type != PREDICATE_TYPE:
            raise ValueError(f"predicate type {statement.predicate_type[:80]}, not {PREDICATE_TYPE}")
        shared = msgspec.convert(statement.predicate, SharedResult)
        _check(shared, statement)
    except (ValueError, RecordInvalidError) as error:
        raise StatementInvalidError(
            "the statement about a result does not hold together",
            expected="a shared result, version 0",
            found=str(error),
            where=where,
        ) from error
    return shared


def _check(shared: SharedResult, statement: Statement) -> None:
    for digest in (shared.key, shared.run, *(item.digest for item in shared.outputs)):
        hex_of(digest)
    for item in shared.outputs:
        safe_path(item.path)
    if shared.root is not None or shared.record is not None:
        hex_of(str(shared.root))
        hex_of(str(shared.record))
    if cache_key(shared.parts) != shared.key:
        raise ValueError("its key is not that of its parts")
    named = {subject.name: subject.digest.get("blake3") for subject in statement.subjects}
    if named != {item.path: hex_of(item.digest) for item in shared.outputs}:
        raise ValueError("its outputs are not its subjects")
    if not _COMMIT.fullmatch(shared.commit) or not _MADE.fullmatch(shared.made):
        raise ValueError("a commit or a time that is none")
    datetime.fromisoformat(shared.made)
