"""What an installer's last words mean. Pure: uv and pip say it in text alone, so an unknown text gets a general hint.

>>> meaning("error: No interpreter found for Python 3.14 in virtual environments or search path", version="3.14")[0]
'there is no Python 3.14 here'
"""

from __future__ import annotations

import re

__all__ = ["is_unreachable", "meaning"]

_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"no interpreter found|failed to inspect python|no such file or directory: 'python3",
        "there is no Python {version} here",
        "`uv python install {version}`, or another way to it; or name a version that is here in mintage.yaml",
    ),
    (
        r"hash mismatch|do not match the hashes|hashes? (?:are|is) required|no hash",
        "a package is not the one that was locked",
        "someone may have changed it on the index: find out before you lock again",
    ),
    (
        r"no wheels? with|no usable wheels|no wheels are (?:usable|available)|no binary distribution"
        r"|building source distributions is disabled|no compatible wheel|can't be installed because it"
        r"|doesn't have a (?:source distribution or )?wheel",
        "a package has no wheel for this machine",
        "lock a version that has one for this platform and Python {version}",
    ),
    (
        r"dns error|failed to lookup|connection (?:refused|reset|error|timed out)|error sending request"
        r"|could not connect"
        r"|network is unreachable|name resolution|failed to establish|network connectivity is disabled|max retries"
        r"|timed out",
        "the place that a package comes from cannot be reached",
        "connect to the network, or set the index of uv or pip to one that is reached from here",
    ),
    (
        r"not found in the package registry|no matching distribution|no solution found|not found in the provided"
        r"|status 404|404 client|failed to (?:fetch|download)|does not exist",
        "a package is not where it was locked from",
        "it may be gone from its index, or have no wheel for Python {version} on this platform: lock again",
    ),
)


def is_unreachable(said: str) -> bool:
    """Whether the installer says that it reached no index.

    >>> is_unreachable("error sending request for url (https://example.org/simple/six/)")
    True
    """
    return any(re.search(pattern, said, re.IGNORECASE) for pattern, what, _ in _KNOWN if "cannot be reached" in what)


def meaning(said: str, *, version: str) -> tuple[str | None, str]:
    """What went wrong, if that is known, and what to do."""
    for pattern, what, hint in _KNOWN:
        if re.search(pattern, said, re.IGNORECASE):
            return what.format(version=version), hint.format(version=version)
    return None, "what it names may be gone from its index, or have no wheel for this machine"
