"""The Sigstore bundle v0.3: a DSSE envelope and what is needed to find the key that verifies it.

Written with a key of our own: ``publicKey.hint`` names it. Read strictly, in the three forms that OpenSSF Model Signing
allows: ``key``, ``certificate`` (a chain) and ``sigstore`` (a short-lived certificate with at least one entry of a
transparency log). Only ``key`` can be verified here; the others are recognised, so that a message can name them.

https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from mintage.attest.dsse import Envelope, envelope_from_json, envelope_to_json, verify
from mintage.attest.keys import PublicKey
from mintage.attest.strictjson import decode_base64, load_json
from mintage.errors import BundleInvalidError, SignatureInvalidError, SignatureUnsupportedError
from mintage.record.canonical import canonical_bytes

__all__ = ["MAX_BYTES", "MEDIA_TYPE", "Bundle", "Method", "decode_bundle", "encode_bundle", "verify_bundle"]

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MAX_BYTES = 16 << 20
Method = Literal["key", "certificate", "sigstore"]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed bundle. ``hint`` names the key (method ``key``), ``certificates`` are DER, the signer's first."""

    method: Method
    envelope: Envelope
    hint: str | None = None
    certificates: tuple[bytes, ...] = ()


class _PublicKey(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    hint: str | None = None
    raw_bytes: str | None = None
    key_details: str | None = None


class _Certificate(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    raw_bytes: str


class _Chain(msgspec.Struct, forbid_unknown_fields=True):
    certificates: list[_Certificate]


class _Material(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    public_key: _PublicKey | None = None
    x509_certificate_chain: _Chain | None = msgspec.field(default=None, name="x509CertificateChain")
    certificate: _Certificate | None = None
    tlog_entries: list[dict[str, Any]] = []
    timestamp_verification_data: dict[str, Any] | None = None


class _Bundle(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    media_type: str
    verification_material: _Material
    dsse_envelope: dict[str, Any]


def encode_bundle(envelope: Envelope, *, hint: str) -> bytes:
    """The bundle as canonical JSON: the same envelope always gives the same bytes, and each byte counts."""
    return canonical_bytes(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
            "dsseEnvelope": envelope_to_json(envelope),
        }
    )


def decode_bundle(data: bytes, *, where: str | None = None) -> Bundle:
    """Parse a bundle; raises BundleInvalidError with the reason. Nothing in it is trusted yet."""
    try:
        raw = msgspec.convert(load_json(data, limit=MAX_BYTES), _Bundle)
        if raw.media_type != MEDIA_TYPE:
            raise ValueError(f"media type {raw.media_type[:80]!r}, not {MEDIA_TYPE!r}")
        method, hint, certificates = _read_material(raw.verification_material)
    except ValueError as error:
        raise BundleInvalidError(
            "the signature file is malformed", expected="a Sigstore bundle v0.3", found=str(error), where=where
        ) from error
    envelope = envelope_from_json(raw.dsse_envelope, where=where)
    return Bundle(method=method, envelope=envelope, hint=hint, certificates=certificates)


def verify_bundle(bundle: Bundle, keys: Iterable[PublicKey], *, where: str | None = None) -> PublicKey:
    """The one of ``keys`` that the bundle names and that signed it.

    Raises SignatureInvalidError (another key, or changed bytes) or SignatureUnsupportedError (not signed with a key).
    """
    if bundle.method != "key" or bundle.hint is None:
        raise SignatureUnsupportedError(
            "this way of signing cannot be verified here",
            expected="a signature by a key, named by publicKey.hint",
            found="an unnamed key" if bundle.method == "key" else f"method {bundle.method!r}",
            where=where,
            hint="sign it again with a key that trust.yaml names",
        )
    known = list(keys)
    named = [key for key in known if key.hint == bundle.hint]
    if not named:
        raise SignatureInvalidError(
            "signed by a key that is not trusted for this",
            expected=", ".join(f"key {key.hint[:16]}…" for key in known) or "a trusted key (there is none)",
            found=f"key {bundle.hint[:16]}…",
            where=where,
            hint="if that key is right, a reviewed change of trust.yaml must add it",
        )
    return verify(bundle.envelope, named, where=where)


def _read_material(raw: _Material) -> tuple[Method, str | None, tuple[bytes, ...]]:
    given = [raw.public_key, raw.x509_certificate_chain, raw.certificate]
    if sum(item is not None for item in given) != 1:
        raise ValueError("verificationMaterial must hold one of publicKey, x509CertificateChain, certificate")
    if raw.public_key is not None:
        if not raw.public_key.hint and not raw.public_key.raw_bytes:
            raise ValueError("publicKey holds no hint")
        return "key", raw.public_key.hint, ()
    if raw.certificate is not None:
        if not raw.tlog_entries:
            raise ValueError("a Sigstore certificate without tlogEntries, of which there must be at least one")
        return "sigstore", None, (_der(raw.certificate),)
    certificates = raw.x509_certificate_chain.certificates if raw.x509_certificate_chain else []
    if not certificates:
        raise ValueError("x509CertificateChain is empty")
    return "certificate", None, tuple(_der(certificate) for certificate in certificates)


def _der(certificate: _Certificate) -> bytes:
    data = decode_base64(certificate.raw_bytes)
    if not data:
        raise ValueError("an empty certificate")
    return data
