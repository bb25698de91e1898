"""DSSE, the Dead Simple Signing Envelope (https://github.com/secure-systems-lab/dsse, v1.0).

What is signed is the pre-authentication encoding of payload type and payload, never JSON as it happens to be written.

>>> pae("text/plain", b"hi")
b'DSSEv1 10 text/plain 2 hi'
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mintage.attest.keys import PublicKey, Signer
from mintage.attest.strictjson import decode_base64, encode_base64
from mintage.errors import BundleInvalidError, SignatureInvalidError

__all__ = ["Envelope", "envelope_from_json", "envelope_to_json", "pae", "sign", "verify"]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A payload, its type, and one signature over both. A Sigstore bundle holds exactly one."""

    payload: bytes
    payload_type: str
    signature: bytes


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    sig: str
    keyid: str | None = None


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: list[_Signature]


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed (DSSE protocol, "PAE")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, *, payload_type: str, signer: Signer) -> Envelope:
    """An envelope around ``payload``."""
    return Envelope(payload=payload, payload_type=payload_type, signature=signer.sign(pae(payload_type, payload)))


def verify(envelope: Envelope, keys: Iterable[PublicKey], *, where: str | None = None) -> PublicKey:
    """The one of ``keys`` that signed the envelope; raises SignatureInvalidError if none did."""
    signed = pae(envelope.payload_type, envelope.payload)
    for key in keys:
        if key.verify(envelope.signature, signed):
            return key
    raise SignatureInvalidError(
        "the signature does not verify",
        expected="the signature of a trusted key over exactly these bytes",
        found="a signature that no trusted key made, or changed bytes",
        where=where,
        hint="get the file again from where it was signed; do not use this one",
    )


def envelope_to_json(envelope: Envelope) -> dict[str, object]:
    """The envelope as the JSON object of the specification."""
    return {
        "payload": encode_base64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"sig": encode_base64(envelope.signature)}],
    }


def envelope_from_json(value: object, *, where: str | None = None) -> Envelope:
    """Parse an envelope strictly; raises BundleInvalidError with the field that does not fit."""
    try:
        raw = msgspec.convert(value, _Envelope)
        if len(raw.signatures) != 1:
            raise ValueError(f"{len(raw.signatures)} signatures in the envelope, not one")
        payload, signature = decode_base64(raw.payload), decode_base64(raw.signatures[0].sig)
        if not payload or not signature:
            raise ValueError("an empty payload or signature")
    except ValueError as error:
        raise BundleInvalidError(
            "the signature's envelope is malformed", expected="a DSSE envelope", found=str(error), where=where
        ) from error
    return Envelope(payload=payload, payload_type=raw.payload_type, signature=signature)
