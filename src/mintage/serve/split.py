"""Say which of two models answers a request: the champion, or the challenger on its share of the traffic.

``variant_of(key, salt, share)`` is pure and stateless: it hashes the request id with the release's salt, so the same
request gets the same answer on every gateway and in every batch, and the assignment tells nothing about the row. It is
monotone in ``share``: when the share grows, a request that was the challenger's stays the challenger's. It keeps no
counts; exact proportions are reached only in the limit (binomial).

>>> variant_of("request-1", "late-2013", 0.0), variant_of("request-1", "late-2013", 1.0)
('champion', 'challenger')
>>> [variant_of(f"r{i}", "late-2013", 0.3) for i in range(1000)].count("challenger")
306
"""

from __future__ import annotations

import hashlib
from typing import Literal

__all__ = ["Variant", "variant_of"]

Variant = Literal["champion", "challenger"]

_SPAN = 2**64


def variant_of(key: str, salt: str, share: float) -> Variant:
    """The variant for the request id ``key``; ``share`` in [0, 1] is the challenger's part of the traffic.

    The position of a key is the first 64 bits of SHA-256(length of the salt, salt, key), read as a fraction of 2^64.
    The length keeps (salt "a", key "bc") apart from (salt "ab", key "c").
    """
    salt_bytes = salt.encode("utf-8", "surrogatepass")
    data = len(salt_bytes).to_bytes(4, "big") + salt_bytes + key.encode("utf-8", "surrogatepass")
    position = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
    return "challenger" if position < share * _SPAN else "champion"
