"""Read JSON that somebody else wrote, in one way only.

Two parsers that read the same bytes differently are an attack: one checks, the other acts. So this one refuses
repeated keys, NaN and infinity, anything that is not UTF-8, and more than ``limit`` bytes.

>>> load_json(b'{"a": 1}', limit=100)
{'a': 1}
>>> load_json(b'{"a": 1, "a": 2}', limit=100)
Traceback (most recent call last):
ValueError: the key 'a' stands twice
"""

from __future__ import annotations

import base64
import json
from typing import Any, NoReturn

__all__ = ["decode_base64", "encode_base64", "load_json"]


def load_json(data: bytes, *, limit: int) -> Any:
    """The value that ``data`` holds; raises ValueError with the reason."""
    if len(data) > limit:
        raise ValueError(f"{len(data)} bytes, more than the {limit} allowed")
    if not data.strip():
        raise ValueError("empty")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 (RFC 4648, section 4) in its one canonical spelling; raises ValueError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not the canonical base64 of its bytes")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64, padded, on one line."""
    return base64.b64encode(data).decode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key[:80]!r} stands twice")
        result[key] = value
    return result


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
