"""The three signed statements of a sealed hold-out: seal, commitment, opening. See docs/spec/sealed-holdout.md.

The holder seals labels to his key; whoever made a model commits to its answers first; the holder opens, judges, and
signs one opening a look. Each is an in-toto statement in a Sigstore bundle, named by the SHA-256 of its bytes. Here
they are written and strictly read; which openings may be is decided in ``certify.openings``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mintage.attest.encrypt import Encrypted
from mintage.attest.keys import PublicKey
from mintage.attest.seal import open_sealed
from mintage.attest.statement import Statement, Subject
from mintage.certify.holdout_use import LogMark
from mintage.errors import StatementInvalidError
from mintage.record.canonical import canonical_bytes
from mintage.record.digest import hex_of, sha256_bytes

__all__ = [
    "Commitment",
    "HoldoutSeal",
    "Opening",
    "Signed",
    "answers_digest",
    "bound_bytes",
    "committed_path",
    "openings_path",
    "read_signed",
    "seal_path",
    "statement_of",
]

_Sha256 = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
_Blake3 = Annotated[str, Meta(pattern=r"^b3:[0-9a-f]{64}$")]
_Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
_Count = Annotated[int, Meta(ge=1, le=10_000_000)]
_BITS = 20


class _Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[0, 1] = 1
    model: str
    rows: _Blake3
    at: _Time


class HoldoutSeal(_Said, frozen=True, kw_only=True):
    """The labels of the table ``rows`` (at ``path``, of ``count`` rows), encrypted to the key ``to``, and how many
    openings they may have."""

    kind: Literal["holdout-seal"] = "holdout-seal"
    path: str
    target: str
    count: _Count
    budget: _Count
    to: _Sha256
    labels: Encrypted


class Commitment(_Said, frozen=True, kw_only=True):
    """What a model answers to the sealed rows, by digest, before anybody compared it with the labels: the model's root,
    the policy to judge by, the seal, the last opening that was known, the environment whose champion is the rival."""

    kind: Literal["holdout-commitment"] = "holdout-commitment"
    root: _Sha256
    policy: _Sha256
    seal: _Sha256
    answers: _Sha256
    last: _Sha256 | None
    against: str | None = None


class Opening(_Said, frozen=True, kw_only=True):
    """One look at the labels: what was committed, whether it passed, the certificate (which the holder keeps unless it
    passed), the opening before it, and the checkpoint of the holder's log under which it was entered first."""

    kind: Literal["holdout-opening"] = "holdout-opening"
    root: _Sha256
    policy: _Sha256
    seal: _Sha256
    number: _Count
    budget: _Count
    committed: _Sha256
    previous: _Sha256 | None
    passed: bool
    certificate: _Blake3
    log: LogMark


_S = TypeVar("_S", HoldoutSeal, Commitment, Opening)


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was read, the id of the key that signed it, and the SHA-256 of its bytes."""

    said: Any
    key_id: str
    digest: str


def seal_path(model: str) -> str:
    """Where a model's seal stands, below the project's root."""
    return f"holdouts/{model}/seal.json"


def committed_path(model: str) -> str:
    """Where the commitment stands that waits for the holder."""
    return f"holdouts/{model}/committed.json"


def openings_path(model: str) -> str:
    """Where the openings stand, one a line."""
    return f"holdouts/{model}/openings.jsonl"


def statement_of(said: HoldoutSeal | Commitment | Opening) -> Statement:
    """The statement to sign; its subject is what it is about."""
    about = said.seal if isinstance(said, Opening) else said.root if isinstance(said, Commitment) else None
    digest = sha256_bytes(said.rows.encode()) if about is None else about
    return Statement(
        subjects=(Subject(name=said.model, digest={"sha256": hex_of(digest)}),),
        predicate_type=f"https://mintage.dev/{said.kind}/v{said.version}",
        predicate=msgspec.to_builtins(said),
    )


def read_signed(data: bytes, kind: type[_S], keys: Iterable[PublicKey], *, where: str) -> tuple[_S, Signed]:
    """What a file says, if one of ``keys`` signed it; raises an IntegrityError otherwise."""
    sealed = open_sealed(data, keys, where=where)
    try:
        said = msgspec.convert(sealed.statement.predicate, kind)
        if sealed.statement != statement_of(said):
            raise ValueError("its subject or type is not that of what it says")
    except (msgspec.ValidationError, ValueError) as error:
        raise StatementInvalidError(
            "the statement of a sealed hold-out is malformed",
            expected="the fields of docs/spec/sealed-holdout.md",
            found=str(error),
            where=where,
        ) from error
    return said, Signed(said=said, key_id=sealed.key_id, digest=sha256_bytes(data))


def bound_bytes(*, model: str, rows: str, target: str, count: int) -> bytes:
    """What encrypted labels are bound to: they open only for these very rows."""
    return canonical_bytes({"model": model, "rows": rows, "target": target, "count": count})


def answers_digest(values: NDArray[np.float64]) -> str:
    """SHA-256 of a model's answers, each rounded to 20 binary digits: the last bits differ between processors.

    >>> import numpy as np
    >>> answers_digest(np.array([0.1])) == answers_digest(np.array([0.1 + 1e-14]))
    True
    >>> answers_digest(np.array([0.1])) == answers_digest(np.array([0.1 + 1e-5]))
    False
    """
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    rounded = np.ldexp(np.round(mantissa * 2**_BITS), exponent - _BITS) + 0.0
    shape = ",".join(map(str, rounded.shape)).encode()
    return sha256_bytes(shape + b"\n" + rounded.astype("<f8").tobytes())
