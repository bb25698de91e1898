"""Names for the platforms of containers: lower-case letters, digits and hyphens, at most 63, a letter first (RFC 1035).

A name that has to be changed gets a part of its digest, so that two models never get one name.

>>> dns_name("late")
'late'
>>> dns_name("Late.v2")
'late-v2-e53cb755'
"""

from __future__ import annotations

import hashlib
import re

__all__ = ["dns_name"]

_LONGEST = 30  # room for what a platform puts before and behind it


def dns_name(name: str) -> str:
    """A name of a service, an image or a label."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if plain == name and len(name) <= _LONGEST and name[0].isalpha():
        return name
    tail = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[:_LONGEST]}-{tail}" if plain[:1].isalpha() else f"model-{plain[:_LONGEST]}-{tail}"
