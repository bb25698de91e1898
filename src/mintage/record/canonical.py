"""Canonical JSON (RFC 8785): the one byte form of a value, so that a digest names its meaning.

>>> canonical_bytes({"b": 1, "a": [True, None]})
b'{"a":[true,null],"b":1}'
"""

from __future__ import annotations

from typing import Any

import msgspec

from mintage.errors import RecordInvalidError

__all__ = ["canonical_bytes"]

_EXACT, _SMALL = 2**53, 1e-3


def canonical_bytes(value: Any) -> bytes:
    """``value`` (dicts with string keys, lists, strings, finite numbers, booleans, None) as RFC 8785 bytes.

    Raises RecordInvalidError for NaN, infinity, integers that no double holds, and other types: none has a canonical
    form. An integral double beyond 2^53 comes back from JSON as an integer; it keeps its form.
    """
    if _is_plain(value):  # many times as fast, and the same bytes: not for other numbers, nor the order of other keys
        return msgspec.json.encode(value, order="sorted")
    import rfc8785

    try:
        try:
            return rfc8785.dumps(value)
        except rfc8785.IntegerDomainError:
            return rfc8785.dumps(_as_doubles(value))
    except (rfc8785.CanonicalizationError, TypeError) as error:
        raise RecordInvalidError(
            "a value has no canonical JSON form", expected="finite numbers, strings, lists, dicts", found=str(error)
        ) from error


def _is_plain(value: Any) -> bool:
    """Whether it holds only ASCII text, plain numbers, booleans, None, and lists and dicts of these."""
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    if kind is dict:
        keys = all(type(key) is str for key in value) and "".join(value).isascii()
        return keys and all(map(_is_plain, value.values()))
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    if kind is float:  # others are written as integers, or some with an exponent
        return bool(_SMALL < abs(value) < _EXACT and value != int(value))
    return value is None or kind is bool or (kind is int and -_EXACT < value < _EXACT)


def _as_doubles(value: Any) -> Any:
    import rfc8785

    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_doubles(item) for item in value]
    if type(value) is int and 2**53 <= abs(value) < 2**1023 and rfc8785.dumps(float(value)) == str(value).encode():
        return float(value)
    return value
