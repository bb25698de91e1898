"""The digest of what a check looks at, by its content: equal values, whatever file they came from, have one digest.

Numbers, texts, times, arrays, mappings, records and dataclasses are hashed with their types and names. Something else
can only be named: an object with an ``identity`` (a text that names all that its answers depend on) is that text. What
has none, such as a probe that measures, has no digest: None. Pure.

>>> content_digest({"a": np.array([1.0, np.nan])}) == content_digest({"a": np.array([1.0, np.nan])})
True
>>> content_digest([1]) == content_digest([1.0])
False
>>> content_digest([print]) is None
True
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
from blake3 import blake3

__all__ = ["content_digest"]

_PLAIN = (bool, int, float, str, bytes, type(None), date, time, timedelta, Decimal)
_Write = Callable[[bytes], object]


class _Unnamed(Exception):
    """Something that has no content to hash and no identity."""


def content_digest(value: Any) -> str | None:
    """``b3:`` and 64 hex digits; None if a part of the value can neither be hashed nor named."""
    hasher = blake3()
    try:
        _add(value, hasher.update)
    except _Unnamed:
        return None
    return f"b3:{hasher.hexdigest()}"


def _add(value: Any, write: _Write) -> None:
    identity = getattr(value, "identity", None)
    if isinstance(value, _PLAIN):
        _sized(f"{type(value).__name__} {value!r}".encode(), write)
    elif isinstance(identity, str) and not isinstance(value, msgspec.Struct):
        _sized(f"identity {identity}".encode(), write)
    elif isinstance(value, np.ndarray | np.generic):
        _add_array(np.asarray(value), write)
    elif isinstance(value, Mapping):
        _sized(f"mapping {len(value)}".encode(), write)
        for name in value:
            _add(name, write)
            _add(value[name], write)
    elif isinstance(value, list | tuple):
        _sized(f"sequence {len(value)}".encode(), write)
        for item in value:
            _add(item, write)
    elif isinstance(value, set | frozenset):
        _add(sorted(value, key=repr), write)
    elif isinstance(value, msgspec.Struct):
        _add_fields(value, value.__struct_fields__, write)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _add_fields(value, tuple(field.name for field in dataclasses.fields(value)), write)
    else:
        raise _Unnamed


def _add_fields(value: Any, names: tuple[str, ...], write: _Write) -> None:
    _sized(f"record {type(value).__name__} {len(names)}".encode(), write)
    for name in names:
        _sized(name.encode(), write)
        _add(getattr(value, name), write)


def _add_array(array: np.ndarray[Any, Any], write: _Write) -> None:
    _sized(f"array {array.dtype.str} {array.shape}".encode(), write)
    if array.dtype.hasobject:
        items = array.reshape(-1).tolist()
        if {type(item) for item in items} <= {str, type(None)}:
            with contextlib.suppress(UnicodeEncodeError):  # half of a surrogate pair, which JSON cannot say
                _sized(msgspec.json.encode(items), write)
                return
        for item in items:
            _add(item, write)
    else:
        _sized(np.ascontiguousarray(array).tobytes(), write)


def _sized(data: bytes, write: _Write) -> None:
    """Each piece behind its length, so that no two values have the same pieces in another division."""
    write(len(data).to_bytes(8, "little"))
    write(data)
