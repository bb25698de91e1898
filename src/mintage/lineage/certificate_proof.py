"""Prove one certificate: is it genuine, and if so, is it current?

Genuine: a key that trust.yaml names for certificates signed exactly these bytes, and what they say does not contradict
itself; what is not genuine raises an error of its own. A genuine certificate has ended when something happened that
``certify.validity`` knows of; or when its key, which an earlier commit trusted, is trusted no more.
"""

from __future__ import annotations

import contextlib
from typing import Literal

import msgspec

from mintage.attest.seal import SealedStatement, open_sealed
from mintage.attest.trust import Trust, parse_trust
from mintage.certify.certificate import Certificate, parse_certificate
from mintage.certify.ends import Event
from mintage.certify.validity import Ended, unchecked, what_ended
from mintage.errors import CertificateForAnotherModelError, MintageError, SignatureInvalidError
from mintage.lineage.repository_now import repository_now
from mintage.record.digest import blake3_bytes
from mintage.repo.git import Git

__all__ = ["CertificateProof", "prove_certificate"]


class CertificateProof(msgspec.Struct, frozen=True, kw_only=True):
    """A genuine certificate, who signed it, and whether it is current; ``commit`` is the one that it was compared with,
    ``unchecked`` what could not be looked at without one."""

    digest: str
    certificate: Certificate
    signed_by: str
    ended: tuple[Ended, ...]
    unchecked: tuple[Event, ...]
    commit: str | None

    @property
    def state(self) -> Literal["current", "ended"]:
        """Whether nothing has ended it."""
        return "ended" if self.ended else "current"


def prove_certificate(
    data: bytes, *, where: str, trust: Trust, git: Git | None, now: str, root: str | None = None
) -> CertificateProof:
    """The proof of the bundle ``data``. ``git`` is the clone to compare with, ``root`` the model that it must be of.

    Raises BundleInvalidError, SignatureInvalidError, StatementInvalidError, CertificateInvalidError or
    CertificateForAnotherModelError.
    """
    try:
        sealed, gone = open_sealed(data, trust.keys_for("certificate"), where=where), None
    except SignatureInvalidError:
        earlier = None if git is None else _by_earlier_key(data, git)
        if earlier is None:
            raise
        sealed, gone = earlier
    certificate, digest = parse_certificate(sealed.statement), blake3_bytes(data)
    if root is not None and certificate.root != root:
        raise CertificateForAnotherModelError(
            "the certificate is for another model",
            expected=root,
            found=f"{certificate.model} {certificate.root}",
            where=where,
            hint="take the certificate of this model, or certify it",
        )
    repository = None if git is None else repository_now(git, certificate.model)
    ended = what_ended(certificate, digest=digest, now=now, repository=repository)
    return CertificateProof(
        digest=digest,
        certificate=certificate,
        signed_by=trust.name_of(sealed.key_id) or sealed.key_id,
        ended=ended if gone is None else (gone, *ended),
        unchecked=unchecked(repository),
        commit=None if repository is None else repository.commit,
    )


def _by_earlier_key(data: bytes, git: Git) -> tuple[SealedStatement, Ended] | None:
    """The statement, if a key signed it that some commit's trust.yaml named for certificates, and what that means."""
    for commit in git.log("trust.yaml") if git.head() is not None else []:
        with contextlib.suppress(MintageError):  # that commit's file is broken, or does not name the key either
            trust = parse_trust(git.show(commit.id, "trust.yaml") or b"", where="trust.yaml")
            sealed = open_sealed(data, trust.keys_for("certificate"))
            name = trust.name_of(sealed.key_id)
            return sealed, Ended(
                event="trust",
                sentence=f"the key {name} that signed it is no longer trusted for certificates: trust.yaml of commit "
                f"{commit.id[:10]} named it, the present one does not",
                hint="certify again with a key that is trusted",
            )
    return None
