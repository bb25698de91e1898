"""Content ids: BLAKE3 for what stays in the store, SHA-256 for what is signed or leaves.

A digest is a string ``<algorithm>:<lower-case hex>`` with algorithm ``b3`` or ``sha256``; both are 32 bytes long.

>>> blake3_bytes(b"")[:10]
'b3:af1349b'
>>> sha256_bytes(b"")[:14]
'sha256:e3b0c44'
"""

from __future__ import annotations

import re
from pathlib import Path

from blake3 import blake3

from mintage.errors import RecordInvalidError

__all__ = ["blake3_bytes", "blake3_file", "hex_of", "is_digest", "parse_digest", "sha256_bytes", "sha256_file", "short"]

_DIGEST = re.compile(r"(b3|sha256):([0-9a-f]{64})")
_BLOCK = 1 << 20


def blake3_bytes(data: bytes | memoryview) -> str:
    """The BLAKE3-256 id of ``data`` (https://github.com/BLAKE3-team/BLAKE3-specs)."""
    return f"b3:{blake3(data).hexdigest()}"


def sha256_bytes(data: bytes | memoryview) -> str:
    """The SHA-256 digest of ``data`` (FIPS 180-4)."""
    import hashlib  # it loads OpenSSL, which a command without signatures need not wait for

    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def blake3_file(path: Path) -> str:
    """The BLAKE3-256 id of a file's bytes, read in blocks; threads are used from 1 MiB up."""
    hasher = blake3()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            hasher.update(block)
    return f"b3:{hasher.hexdigest()}"


def sha256_file(path: Path) -> str:
    """The SHA-256 digest of a file's bytes, read in blocks."""
    import hashlib

    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def parse_digest(text: str) -> tuple[str, str]:
    """Split a digest into algorithm and hex; raises RecordInvalidError if ``text`` is not one."""
    match = _DIGEST.fullmatch(text)
    if match is None:
        raise RecordInvalidError("not a digest", expected="b3:<64 hex> or sha256:<64 hex>", found=repr(text[:80]))
    return match[1], match[2]


def is_digest(text: str) -> bool:
    """Whether ``text`` has the form of a digest."""
    return _DIGEST.fullmatch(text) is not None


def hex_of(digest: str) -> str:
    """The hex part of a digest."""
    return parse_digest(digest)[1]


def short(digest: str) -> str:
    """The first 12 hex digits with the algorithm, for people to read."""
    algorithm, value = parse_digest(digest)
    return f"{algorithm}:{value[:12]}"
