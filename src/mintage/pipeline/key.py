"""The cache key of a stage: a digest of all that can change its outputs, and an explanation of a miss. Pure.

The parts are: format, command (the words of ``run``), args (the options that it gets, if any), params (values), inputs
(path to digest), code (path to digest), environment (digest of the freeze), seed, threads, env (declared variables),
outputs (paths). See docs/spec/cache-key.md.

>>> old = {"command": ["a"], "params": {"depth": 3}}
>>> explain(old, {"command": ["a"], "params": {"depth": 4}})
['params.depth changed: 3 -> 4']
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mintage.record.canonical import canonical_bytes
from mintage.record.digest import blake3_bytes

__all__ = ["KEY_FORMAT", "cache_key", "explain"]

KEY_FORMAT = 0


def cache_key(parts: Mapping[str, Any]) -> str:
    """The digest of the parts."""
    return blake3_bytes(canonical_bytes(dict(parts)))


def explain(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """What differs between the parts of two keys, one sentence each; for no old key, that it never ran."""
    if old is None:
        return ["never ran"]
    return _differences(dict(old), dict(new), "")


def _differences(old: Any, new: Any, name: str) -> list[str]:
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(set(old) | set(new)):
            label = (
                f"{name}.{key}"
                if name in ("args", "params", "env") or name.startswith("params.")
                else _label(name, key)
            )
            if key not in old:
                found.append(f"{label} is new")
            elif key not in new:
                found.append(f"{label} is gone")
            else:
                found += _differences(old[key], new[key], label)
        return found
    return [f"{name} changed: {_show(old)} -> {_show(new)}"]


def _label(name: str, key: str) -> str:
    return f"{name} {key}".strip()


def _show(value: Any) -> str:
    if isinstance(value, str) and value.startswith(("b3:", "sha256:")):
        return value[: value.index(":") + 9]
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
