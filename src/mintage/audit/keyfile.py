"""The Ed25519 key that signs checkpoints of the audit log. It lies outside the database, in a file of mode 0600.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> ensure_audit_key(folder).public == ensure_audit_key(folder).public
True
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mintage.errors import KeyFileError
from mintage.store.publish import publish_bytes, publish_new

__all__ = ["AuditKey", "ensure_audit_key"]


class AuditKey:
    """An Ed25519 private key. ``public`` is its raw public half, 32 bytes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw()

    @classmethod
    def load(cls, path: Path) -> AuditKey:
        """The key of a file; raises KeyFileError if it is missing or not an unencrypted Ed25519 private key."""
        where = str(path)
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            raise KeyFileError("there is no key file", where=where) from None
        except OSError as error:
            raise KeyFileError("the key file cannot be read", found=str(error), where=where) from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyFileError(
                "not a private key", expected="PEM of an Ed25519 key", found=str(error)[:160], where=where
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError("a private key of another kind", expected="Ed25519", where=where)
        return cls(key)

    @classmethod
    def create(cls, path: Path) -> AuditKey:
        """Make a key, write it to ``path`` (mode 0600) and its public half to ``path`` + ``.pub``.

        Raises KeyFileError if ``path`` is there already: with another key, old checkpoints would not verify.
        """
        made = cls(Ed25519PrivateKey.generate())
        pem = made._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not publish_new(path, pem, mode=0o600):
            raise KeyFileError("there is a key file already", where=str(path), hint="keep it and use it")
        made._write_public(path)
        return made

    @property
    def public_pem(self) -> bytes:
        """The public key, PEM, as trust.yaml has it for the role ``checkpoint``."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature (RFC 8032)."""
        return self._key.sign(data)

    def _write_public(self, path: Path) -> None:
        public = path.with_name(path.name + ".pub")
        if not public.is_file() or public.read_bytes() != self.public_pem:
            publish_bytes(public, self.public_pem)


def ensure_audit_key(keys_dir: Path) -> AuditKey:
    """The key ``audit.pem`` of ``keys_dir``, made if it is not there. Of two processes one makes it, both use it."""
    path = keys_dir / "audit.pem"
    if not path.exists():
        try:
            return AuditKey.create(path)
        except KeyFileError:
            if not path.exists():
                raise
    key = AuditKey.load(path)
    key._write_public(path)
    return key
