"""Revocations, ``policies/<model>.revoked.yaml``: a person takes back a certificate, or a model with all of its.

See docs/spec/revocation.md. What stands there is not released any more, and ``mintage verify`` says who took it back
and why. What serves already is stopped by a release of another model, or by ``mintage stop``.

>>> one = Revocation(root="sha256:" + "0" * 64, reason="trained on rows that were not ours", by="ana@example.org",
...                  at=date(2027, 1, 31))
>>> one.covers(root="sha256:" + "0" * 64, certificate=None)
True
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mintage.certify.beside_policy import read_beside
from mintage.errors import CertificateRevokedError
from mintage.repo.git import Git

__all__ = ["Revocation", "check_not_revoked", "parse_revocations", "revocations_at", "revocations_path"]

_HINT = "see docs/spec/revocation.md"


class Revocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one entry takes back: a model by its ``root``, or one ``certificate`` by its digest."""

    reason: Annotated[str, Meta(pattern=r"\S", max_length=2000)]
    by: Annotated[str, Meta(pattern=r"^[^@\s<>]+@[^@\s<>]+$")]
    at: date
    root: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    certificate: Annotated[str, Meta(pattern=r"^b3:[0-9a-f]{64}$")] | None = None

    def __post_init__(self) -> None:
        if (self.root is None) == (self.certificate is None):
            raise ValueError("a revocation names either a model's `root` or a `certificate`")

    def covers(self, *, root: str, certificate: str | None) -> bool:
        """Whether it takes back this model or this certificate."""
        return self.root == root if self.root is not None else self.certificate == certificate


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    model: str
    revoked: tuple[Revocation, ...]


def revocations_path(model: str) -> str:
    """Where the revocations of a model stand, below the project's root."""
    return f"policies/{model}.revoked.yaml"


def parse_revocations(data: bytes, *, model: str, where: str) -> tuple[Revocation, ...]:
    """Parse and check; raises FileMalformedError with file, line and column."""
    file, _ = read_beside(data, _File, key="revoked", of="revocations", model=model, where=where, hint=_HINT)
    return file.revoked


def revocations_at(git: Git, revision: str, model: str) -> tuple[Revocation, ...]:
    """The revocations of a model in a commit; none if there is no file."""
    path = revocations_path(model)
    data = git.show(revision, path)
    return () if data is None else parse_revocations(data, model=model, where=path)


def check_not_revoked(revocations: tuple[Revocation, ...], *, root: str, certificate: str | None) -> None:
    """Raise CertificateRevokedError if one of them takes back this model or certificate."""
    for revocation in revocations:
        if revocation.covers(root=root, certificate=certificate):
            what = "model" if revocation.root is not None else "certificate"
            raise CertificateRevokedError(
                f"the {what} was revoked on {revocation.at} by {revocation.by}: {revocation.reason}",
                expected="one that nobody took back",
                found=revocation.root or revocation.certificate,
                hint="train another model and certify it"
                if what == "model"
                else "mend what was wrong, then certify again",
            )
