"""File names for names: how a stage, a data path or a model becomes one safe file name, and back.

Lower-case letters, digits, ``-``, ``_`` and inner dots stay; every other byte of the UTF-8 form becomes ``%XX``. Two
names that differ only in case so differ on a case-blind disk too (``A`` is ``%41``).

>>> escape_name("data/Flights.parquet")
'data%2F%46lights.parquet'
>>> unescape_name("data%2F%46lights.parquet")
'data/Flights.parquet'
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from mintage.errors import UsageError

__all__ = ["check_name", "escape_name", "name_from", "unescape_name"]

_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def escape_name(name: str) -> str:
    """One file name (without suffix) for ``name``; raises UsageError if it would be empty or over 240 bytes."""
    raw = name.encode()
    text = "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in raw)
    if text.startswith("."):
        text = "%2E" + text[1:]
    if not text or len(text) > 240:
        raise UsageError(
            "a name cannot become a file name", expected="1 to 240 bytes when escaped", found=repr(name[:80])
        )
    return text


def unescape_name(text: str) -> str:
    """The name that ``escape_name`` turned into ``text``."""
    return unquote_to_bytes(text).decode()


def name_from(text: str) -> str:
    """The nearest text to ``text`` that can name a project.

    >>> name_from("my project (2)")
    'my-project-2'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64] or "project"


def check_name(name: str, *, what: str) -> str:
    """Return ``name`` if it can name a model, a stage or an environment, else raise UsageError."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"not a name for a {what}",
            expected="a letter or digit, then up to 63 letters, digits, . _ -",
            found=repr(name[:80]),
        )
    return name
