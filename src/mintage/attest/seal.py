"""Seal a statement (sign it and wrap it into bundle bytes) and open it again.

A certificate, a provenance, an approval is sealed and kept as one blob. ``open_sealed`` gives nothing away before the
signature of one of the given keys is proven.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mintage.attest.bundle import decode_bundle, encode_bundle, verify_bundle
from mintage.attest.dsse import sign
from mintage.attest.keys import PublicKey, Signer
from mintage.attest.statement import PAYLOAD_TYPE, Statement, decode_statement, encode_statement
from mintage.errors import StatementInvalidError

__all__ = ["SealedStatement", "open_sealed", "seal"]


class SealedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement whose signature is proven, and the id of the key that signed it."""

    statement: Statement
    key_id: str


def seal(statement: Statement, signer: Signer) -> bytes:
    """The statement as the bytes of a signed Sigstore bundle: equal statement and key, equal bytes."""
    envelope = sign(encode_statement(statement), payload_type=PAYLOAD_TYPE, signer=signer)
    return encode_bundle(envelope, hint=PublicKey.from_pem(signer.public_pem).hint)


def open_sealed(data: bytes, keys: Iterable[PublicKey], *, where: str | None = None) -> SealedStatement:
    """The statement, if one of ``keys`` signed it.

    Raises BundleInvalidError, SignatureInvalidError or StatementInvalidError; ``where`` names the file in messages.
    """
    bundle = decode_bundle(data, where=where)
    key = verify_bundle(bundle, keys, where=where)
    if bundle.envelope.payload_type != PAYLOAD_TYPE:
        raise StatementInvalidError(
            "what is signed is not a statement", expected=PAYLOAD_TYPE, found=bundle.envelope.payload_type, where=where
        )
    return SealedStatement(statement=decode_statement(bundle.envelope.payload, where=where), key_id=key.key_id)
