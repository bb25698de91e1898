"""Checkpoints: the size and root of the log at one moment, signed, in the form that other log tools read.

The text is a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint) in a signed note (https://c2sp.org/signed-note)
with two signatures of the log's Ed25519 key: a plain one, and a timestamped one (https://c2sp.org/tlog-cosignature)
that says when. Lines signed by other keys, such as a witness's, are passed over.

::

    mintage/churn
    42
    ZwyuehCMzzFjYxAVq8ZDS9HCVR3mDCVcfXYYbQ2B/7E=

    — mintage/churn jdVmnR9mhW4…
    — mintage/churn 8Yc1kQAAAABp…
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import re

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mintage.audit.keyfile import AuditKey
from mintage.errors import CheckpointInvalidError, KeyFileError, UsageError

__all__ = ["Checkpoint", "CheckpointKey", "check_origin", "open_checkpoint", "sign_checkpoint"]

_ED25519 = b"\x01"
_TIMESTAMPED = b"\x04"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_MAX_BYTES = 64 << 10
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_ORIGIN = re.compile(r"[^\s+\x00-\x20\x7f]{1,200}")
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_DASH = "\u2014 "


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The first ``size`` entries of the log ``origin`` have this root (32 bytes), said ``at`` that time (RFC 3339)."""

    origin: str
    size: int
    root: bytes
    at: str

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @property
    def seconds(self) -> int:
        """``at`` in seconds since 1970; raises UsageError if it is not a time in whole seconds, UTC."""
        try:
            return int(datetime.datetime.strptime(self.at, _TIME).replace(tzinfo=datetime.UTC).timestamp())
        except ValueError as error:
            raise UsageError("not a time", expected="such as 2026-11-01T12:00:00Z", found=repr(self.at[:40])) from error


class CheckpointKey:
    """The public half of the key that signs the log ``origin``."""

    def __init__(self, origin: str, public: bytes) -> None:
        self.origin = check_origin(origin)
        self.public = public
        self.key_hash = hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public).digest()[:4]
        self.timestamped_hash = hashlib.sha256(origin.encode() + b"\n" + _TIMESTAMPED + public).digest()[:4]

    @classmethod
    def from_pem(cls, origin: str, pem: bytes) -> CheckpointKey:
        """Parse a PEM Ed25519 public key; raises KeyFileError."""
        try:
            key = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyFileError("not a public key", expected="PEM of an Ed25519 key", found=str(error)[:160]) from error
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFileError("a public key of another kind", expected="Ed25519")
        return cls(origin, key.public_bytes_raw())

    @classmethod
    def from_vkey(cls, text: str) -> CheckpointKey:
        """Parse what ``vkey`` gives; raises KeyFileError."""
        origin, _, rest = text.partition("+")
        try:
            raw = base64.b64decode(rest.partition("+")[2], validate=True)
            key = cls(origin, Ed25519PublicKey.from_public_bytes(raw[1:]).public_bytes_raw())
            if key.vkey != text:
                raise ValueError("its hash or kind is not that of its bytes")
        except (ValueError, UsageError) as error:
            raise KeyFileError("not the key of an audit log", expected="origin+hash+key", found=str(error)) from error
        return key

    @property
    def pem(self) -> bytes:
        """The key in PEM, as trust.yaml has it."""
        return Ed25519PublicKey.from_public_bytes(self.public).public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def vkey(self) -> str:
        """The key in one line, as Go's note package and witnesses take it."""
        return f"{self.origin}+{self.key_hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` is this key's over ``data``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, data)
        except InvalidSignature:
            return False
        return True


def check_origin(origin: str) -> str:
    """Return ``origin`` if a log can be named so, else raise UsageError."""
    if _ORIGIN.fullmatch(origin) is None:
        raise UsageError(
            "not a name for an audit log", expected="no spaces and no +, such as mintage/churn", found=repr(origin[:80])
        )
    return origin


def sign_checkpoint(checkpoint: Checkpoint, key: AuditKey) -> str:
    """The checkpoint as a signed note."""
    public = CheckpointKey(checkpoint.origin, key.public)
    plain = public.key_hash + key.sign(checkpoint.text.encode())
    seconds = checkpoint.seconds
    timed = public.timestamped_hash + seconds.to_bytes(8) + key.sign(_timestamped(checkpoint.text, seconds))
    lines = [f"{_DASH}{checkpoint.origin} {base64.b64encode(item).decode()}\n" for item in (plain, timed)]
    return f"{checkpoint.text}\n{''.join(lines)}"


def open_checkpoint(note: str | bytes, key: CheckpointKey, *, where: str | None = None) -> Checkpoint:
    """The checkpoint of a note that ``key`` signed; raises CheckpointInvalidError with the reason."""
    try:
        text, lines = _split_note(note)
        signatures = [raw for name, raw in map(_read_line, lines) if name == key.origin]
        _check_plain([raw[4:] for raw in signatures if raw[:4] == key.key_hash], text, key)
        seconds = _check_timestamped([raw[4:] for raw in signatures if raw[:4] == key.timestamped_hash], text, key)
        return _read_text(text, key.origin, at=datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime(_TIME))
    except ValueError as error:
        raise CheckpointInvalidError(
            "the checkpoint does not verify",
            expected="a C2SP checkpoint signed by the log's key",
            found=str(error),
            where=where,
            hint="the note was changed, or another key signed it; compare with the published copies",
        ) from error


def _split_note(note: str | bytes) -> tuple[str, list[str]]:
    data = note.encode() if isinstance(note, str) else note
    if len(data) > _MAX_BYTES:
        raise ValueError(f"{len(data)} bytes")
    decoded = data.decode("utf-8")
    if any(ord(char) < 32 and char != "\n" for char in decoded):
        raise ValueError("control characters")
    text, blank, signatures = decoded.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise ValueError("no signature lines after a blank line")
    return text + "\n", signatures[:-1].split("\n")


def _read_line(line: str) -> tuple[str, bytes]:
    """Key name, and key hash with signature, of a signature line."""
    name, _, value = line.removeprefix(_DASH).partition(" ")
    raw = base64.b64decode(value, validate=True)
    if not line.startswith(_DASH) or not name or len(raw) < 5 or base64.b64encode(raw).decode() != value:
        raise ValueError("a malformed signature line")
    return name, raw


def _check_plain(signatures: list[bytes], text: str, key: CheckpointKey) -> None:
    if not signatures:
        raise ValueError(f"no signature by {key.vkey}")
    if not all(key.verify(signature, text.encode()) for signature in signatures):
        raise ValueError("a signature that is not that of the text above it")


def _check_timestamped(signatures: list[bytes], text: str, key: CheckpointKey) -> int:
    """The time of the one timestamped signature, in seconds since 1970."""
    if len(signatures) != 1 or len(signatures[0]) != 72:
        raise ValueError(f"not one timestamped signature by {key.vkey}")
    seconds = int.from_bytes(signatures[0][:8])
    if seconds > _LAST_SECOND or not key.verify(signatures[0][8:], _timestamped(text, seconds)):
        raise ValueError("a timestamped signature that is not that of the text above it")
    return seconds


def _timestamped(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _read_text(text: str, origin: str, *, at: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or _NUMBER.fullmatch(lines[1]) is None:
        raise ValueError("not the three lines origin, size, root")
    root = base64.b64decode(lines[2], validate=True)
    checkpoint = Checkpoint(origin=lines[0], size=int(lines[1]), root=root, at=at)
    if lines[0] != origin or len(root) != 32 or checkpoint.text != text:
        raise ValueError("another log's origin, or a root that is none")
    return checkpoint
