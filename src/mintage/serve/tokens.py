"""Bearer tokens: who may ask a gateway that listens beyond loopback.

The file holds one token a line, of 16 to 512 characters that RFC 6750 allows; empty lines are skipped. It is read once,
when the gateway starts. Only digests are kept, and what a caller sends is compared with all of them by its SHA-256 in
constant time. No message ever has a token in it.

>>> tokens = Tokens(["0123456789abcdef"])
>>> tokens.admit([(b"authorization", b"Bearer 0123456789abcdef")]), tokens.admit([(b"authorization", b"Bearer x")])
(True, False)
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from pathlib import Path

from mintage.errors import TokenFileError

__all__ = ["Tokens", "read_tokens"]

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*")
_MAX_BYTES = 1 << 20


class Tokens:
    """The tokens that are known, as digests."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = tuple(hashlib.sha256(token.encode()).digest() for token in tokens)

    def admit(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers, names in lower case, has a known token."""
        given = [value for name, value in headers if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        digest = hashlib.sha256(token.strip()).digest()
        known = [hmac.compare_digest(digest, other) for other in self._digests]
        return scheme.lower() == b"bearer" and any(known)


def read_tokens(path: Path) -> Tokens:
    """The tokens of a file; raises TokenFileError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise TokenFileError("the file of tokens cannot be read", found=error.strerror, where=str(path)) from error
    lines = data.decode("latin-1").splitlines() if len(data) <= _MAX_BYTES else []
    tokens = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    for number, token in tokens:
        if _TOKEN.fullmatch(token) is None:
            raise TokenFileError(
                "a line of the file of tokens is no token",
                expected="16 to 512 letters, digits and - . _ ~ + /, then = if need be",
                found=f"{len(token)} characters",
                where=f"{path}, line {number}",
                hint="make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
    if not tokens:
        raise TokenFileError(
            "the file of tokens has none", expected="one token a line, in at most 1 MiB", where=str(path)
        )
    return Tokens(token for _, token in tokens)
