"""Keys that sign and keys that verify.

``FileSigner`` holds an EC P-256 private key from a PEM file and signs with ECDSA and SHA-256. Its nonces are derived
from key and message (RFC 6979), so the same bytes always get the same signature, and two builds are equal byte by byte.
``PublicKey`` verifies: EC P-256, P-384 and P-521, each with the hash of its size, for what is signed, and Ed25519 for
checkpoints of the audit log. A key's id is the SHA-256 of its DER form.

>>> import tempfile
>>> signer = FileSigner.create(Path(tempfile.mkdtemp()) / "me.pem", name="me")
>>> signer.public.verify(signer.sign(b"text"), b"text"), signer.public.verify(signer.sign(b"text"), b"other")
(True, False)
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from mintage.errors import KeyFileError, MissingToolError
from mintage.record.digest import hex_of, sha256_bytes
from mintage.store.publish import publish_bytes, publish_new

__all__ = ["FileSigner", "PublicKey", "Signer", "ensure_project_key"]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}
_MAX_BYTES = 64 << 10


class Signer(Protocol):
    """Whoever can sign: a key file here, a token or a key service elsewhere."""

    @property
    def key_id(self) -> str:
        """``sha256:<hex>`` of the public key's DER form."""

    @property
    def public_pem(self) -> bytes:
        """The public key, PEM."""

    def sign(self, data: bytes) -> bytes:
        """The DER form of an ECDSA signature over SHA-256 of ``data``."""


class PublicKey:
    """A public key that verifies signatures."""

    def __init__(self, key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) -> None:
        self._key = key
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        self.pem = key.public_bytes(serialization.Encoding.PEM, info)
        self.key_id = sha256_bytes(key.public_bytes(serialization.Encoding.DER, info))

    @classmethod
    def from_pem(cls, pem: bytes, *, where: str | None = None) -> PublicKey:
        """Parse a PEM public key; raises KeyFileError for anything else, a private key above all."""
        try:
            if b"PRIVATE KEY" in pem:
                raise ValueError("a private key")
            if len(pem) > _MAX_BYTES:
                raise ValueError(f"{len(pem)} bytes")
            key = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise _not_a_key("not a public key", str(error), where) from error
        if isinstance(key, ed25519.Ed25519PublicKey):
            return cls(key)
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _HASHES:
            return cls(key)
        raise _not_a_key("a public key of another kind", _kind_of(key), where)

    @property
    def hint(self) -> str:
        """How a Sigstore bundle names the key: hex SHA-256 of its PEM form, as the OMS reference signer writes it."""
        return hex_of(sha256_bytes(self.pem))

    @property
    def algorithm(self) -> str:
        """``ecdsa`` or ``ed25519``."""
        return "ed25519" if isinstance(self._key, ed25519.Ed25519PublicKey) else "ecdsa"

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` is this key's over ``data``."""
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, data)
            else:
                self._key.verify(signature, data, ec.ECDSA(_HASHES[self._key.curve.name]))
        except InvalidSignature:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.key_id == self.key_id

    def __hash__(self) -> int:
        return hash(self.key_id)

    def __repr__(self) -> str:
        return f"PublicKey({self.key_id[:19]}…)"


class FileSigner:
    """An EC P-256 private key from a file; ``name`` is how messages and trust.yaml call it."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, name: str) -> None:
        self._key = key
        self.name = name
        self.public = PublicKey(key.public_key())

    @classmethod
    def load(cls, path: Path) -> FileSigner:
        """The key of a file; raises KeyFileError if it is missing or not an unencrypted P-256 private key."""
        where = str(path)
        try:
            pem = path.read_bytes()
            key = serialization.load_pem_private_key(pem, password=None)
        except FileNotFoundError:
            raise KeyFileError("there is no key file", where=where) from None
        except OSError as error:
            raise KeyFileError("the key file cannot be read", found=str(error), where=where) from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _not_a_key("not a private key", str(error), where) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise KeyFileError(
                "a private key of another kind", expected="EC P-256", found=_kind_of(key.public_key()), where=where
            )
        return cls(key, name=path.stem)

    @classmethod
    def create(cls, path: Path, *, name: str) -> FileSigner:
        """Make a key, write it to ``path`` (mode 0600) and its public half to ``path`` + ``.pub``.

        Raises KeyFileError if ``path`` is there already: a key is never overwritten.
        """
        signer = cls(ec.generate_private_key(ec.SECP256R1()), name=name)
        pem = signer._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not publish_new(path, pem, mode=0o600):
            raise KeyFileError("there is a key file already", where=str(path), hint="choose another name")
        _write_public(path, signer.public_pem)
        return signer

    @property
    def key_id(self) -> str:
        """``sha256:<hex>`` of the public key's DER form."""
        return self.public.key_id

    @property
    def public_pem(self) -> bytes:
        """The public key, PEM."""
        return self.public.pem

    def agree(self, other: ec.EllipticCurvePublicKey) -> bytes:
        """The secret that this key and ``other`` share (ECDH), for ``attest.encrypt``."""
        return self._key.exchange(ec.ECDH(), other)

    def sign(self, data: bytes) -> bytes:
        """The DER form of an ECDSA signature over SHA-256 of ``data``, with the nonce of RFC 6979."""
        try:
            return self._key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        except UnsupportedAlgorithm as error:
            raise MissingToolError(
                "the cryptography library's OpenSSL cannot sign deterministically",
                expected="OpenSSL 3.2 or newer",
                hint="install the cryptography wheel of the package index, which brings its own OpenSSL",
            ) from error


def ensure_project_key(keys_dir: Path) -> FileSigner:
    """The key ``project.pem`` of ``keys_dir``, made if it is not there. Of two processes one makes it, both use it."""
    path = keys_dir / "project.pem"
    if not path.exists():
        keys_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return FileSigner.create(path, name="project")
        except KeyFileError:
            if not path.exists():
                raise
    signer = FileSigner.load(path)
    _write_public(path, signer.public_pem)
    return signer


def _write_public(path: Path, pem: bytes) -> None:
    public = path.with_name(path.name + ".pub")
    if not public.is_file() or public.read_bytes() != pem:
        publish_bytes(public, pem)


def _kind_of(key: object) -> str:
    curve = getattr(key, "curve", None)
    return f"EC {curve.name}" if curve is not None else type(key).__name__.lstrip("_")


def _not_a_key(message: str, found: str, where: str | None) -> KeyFileError:
    return KeyFileError(
        message,
        expected="PEM of an EC P-256, P-384, P-521 or Ed25519 key",
        found=found.splitlines()[0][:160] if found else "nothing",
        where=where,
    )
