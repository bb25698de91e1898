"""Encrypt to the holder of a key that trust.yaml names: what only he can read, and nobody can change.

An elliptic-curve integrated encryption (SEC 1, section 5.1, with an authenticated cipher): a key pair made for the one
message, ECDH with the holder's P-256 key, HKDF-SHA256 over both public keys, AES-256-GCM. ``bound`` is authenticated
and not encrypted: the message opens only together with the very same bytes. That one key may sign and decrypt is proven
for this pair (Degabriele et al. 2012, "On the Joint Security of Encryption and Signature in EMV"). It does not hide how
long the message is, nor say who encrypted it: sign what carries it.

>>> import tempfile
>>> from pathlib import Path
>>> ben = FileSigner.create(Path(tempfile.mkdtemp()) / "ben.pem", name="ben")
>>> message = encrypt_to(ben.public_pem, b"labels", bound=b"rows")
>>> decrypt_with(ben, message, bound=b"rows")
b'labels'
"""

from __future__ import annotations

import os

import msgspec
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mintage.attest.keys import FileSigner
from mintage.attest.strictjson import decode_base64, encode_base64
from mintage.errors import DecryptionFailedError, KeyFileError

__all__ = ["Encrypted", "decrypt_with", "encrypt_to"]

_PURPOSE = b"mintage ecies p256 hkdf-sha256 aes-256-gcm v0"


class Encrypted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message: the public half of the key made for it (X9.62 uncompressed point), the nonce, and the ciphertext with
    its tag; base64."""

    point: str
    nonce: str
    ciphertext: str


def encrypt_to(public_pem: bytes, message: bytes, *, bound: bytes) -> Encrypted:
    """Encrypt ``message`` to the holder of a P-256 key; raises KeyFileError for keys of other kinds."""
    holder = serialization.load_pem_public_key(public_pem)
    if not isinstance(holder, ec.EllipticCurvePublicKey) or holder.curve.name != "secp256r1":
        raise KeyFileError("not a key that can be encrypted to", expected="EC P-256", found=type(holder).__name__)
    once = ec.generate_private_key(ec.SECP256R1())
    point, nonce = _point(once.public_key()), os.urandom(12)
    key = _derive(once.exchange(ec.ECDH(), holder), point, _point(holder))
    ciphertext = AESGCM(key).encrypt(nonce, message, bound)
    return Encrypted(point=encode_base64(point), nonce=encode_base64(nonce), ciphertext=encode_base64(ciphertext))


def decrypt_with(signer: FileSigner, encrypted: Encrypted, *, bound: bytes) -> bytes:
    """The message; raises DecryptionFailedError if it is for another key, was changed, or is bound to other bytes."""
    try:
        point, nonce, ciphertext = (
            decode_base64(text) for text in (encrypted.point, encrypted.nonce, encrypted.ciphertext)
        )
        other = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        own = serialization.load_pem_public_key(signer.public_pem)
        assert isinstance(own, ec.EllipticCurvePublicKey)
        key = _derive(signer.agree(other), point, _point(own))
        return AESGCM(key).decrypt(nonce, ciphertext, bound)
    except (ValueError, InvalidTag, UnsupportedAlgorithm) as error:
        raise DecryptionFailedError(
            "this cannot be decrypted here",
            expected="a message to the key of this machine, unchanged, with what it is bound to",
            found=str(error)[:160] or "a message for another key, or changed bytes",
            hint="decrypt where the private key is that it was encrypted to",
        ) from error


def _derive(shared: bytes, point: bytes, holder: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE + point + holder).derive(shared)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
