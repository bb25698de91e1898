"""The cache key of a stage: a digest of all that can change its outputs, and an explanation of a miss. Pure.

The parts are: format, command (the words of ``run``), args (the options that it gets, if any), params (values), inputs
(path to digest), code (path to digest), listed (folder to names of code), absent (code looked for in vain), environment
(digest of the freeze), seed, threads, env (declared variables), outputs (paths). See docs/spec/cache-key.md.

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
_NAMES = ("listed", "absent")


def cache_key(parts: Mapping[str, Any]) -> str:
    """The digest of the parts."""
    return blake3_bytes(canonical_bytes(dict(parts)))


def explain(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """What differs between the parts of two keys, one sentence each; for no old key, that it never ran."""
    if old is None:
        return ["never ran"]
    then, now = ({name: value for name, value in parts.items() if name not in _NAMES} for parts in (old, new))
    return [*_differences(then, now, ""), *_other_names(old, new)]


def _other_names(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Code that came where a run looked for it, or went, if that is not told as code that was read.

    >>> old = {"listed": {"lib": ["a.py", "b.py"]}, "code": {"lib/b.py": "b3:0"}}
    >>> _other_names(old, {"listed": {"lib": ["a.py", "c.py"]}})
    ['lib/c.py is new']
    """
    then, now = old.get("listed", {}), new.get("listed", {})
    still = {*new.get("absent", ())}
    found = [f"{path} is new" for path in old.get("absent", ()) if path not in still]
    for folder in sorted(set(then) | set(now)):
        before, after = then.get(folder, []), now.get(folder, [])
        if isinstance(before, str) or isinstance(after, str):
            found += [f"other code files lie in {folder}"] if before != after else []
            continue
        for names, others, said, code in ((after, before, "new", new), (before, after, "gone", old)):
            paths = [name if folder == "." else f"{folder}/{name}" for name in names if name not in others]
            found += [f"{path} is {said}" for path in paths if path not in code.get("code", {})]
    return list(dict.fromkeys(found))


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
