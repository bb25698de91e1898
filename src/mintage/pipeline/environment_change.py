"""What changed of a stage, with the packages that differ where its environment does.

A lock names the environment by digest alone; its packages stand in the record of the run, if the store has that.

>>> old = {"python": "3.11.7", "packages": [{"name": "numpy", "version": "2.3.1"}]}
>>> said_change(old, {"python": "3.11", "packages": [{"name": "numpy", "version": "2.3.2"}]})
'environment: numpy 2.3.1 -> 2.3.2'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mintage.pipeline.key import explain
from mintage.pipeline.locked.pin import canonical_name
from mintage.repo.locks import Lock
from mintage.store.local import Store

__all__ = ["explained", "said_change"]

_LINE = "environment changed: "
_SHOWN = 4


def explained(store: Store, lock: Lock | None, parts: Mapping[str, Any], *, frozen: Mapping[str, Any]) -> list[str]:
    """What differs between a lock and ``parts``; ``frozen`` is the freeze of the environment of now."""
    lines = explain(lock.parts if lock is not None else None, parts)
    if lock is None or not any(line.startswith(_LINE) for line in lines):
        return lines
    before = _frozen_then(store, lock)
    said = said_change(before, frozen) if before is not None else None
    return [said if said and line.startswith(_LINE) else line for line in lines]


def said_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """How two freezes differ, in a line. Pure."""
    before, now = _versions(old), _versions(new)
    if "python" in now and before.get("python", "").startswith(f"{now.get('python')}."):
        before["python"] = now["python"]  # a lock says 3.11 where a freeze says 3.11.7
    changes = [
        f"{name} {before.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for name in sorted(before.keys() | now.keys(), key=lambda name: (name not in before or name not in now, name))
        if before.get(name) != now.get(name)
    ]
    if not changes:
        return "environment: the same versions, from other files"
    more = f", and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
    return f"environment: {', '.join(changes[:_SHOWN])}{more}"


def _versions(frozen: Mapping[str, Any]) -> dict[str, str]:
    packages = {canonical_name(each["name"]): str(each["version"]) for each in frozen["packages"]}
    packages.pop("mintage", None)
    return {
        name: str(frozen[name]) for name in ("image", "python", "implementation", "platform") if name in frozen
    } | packages


def _frozen_then(store: Store, lock: Lock) -> dict[str, Any] | None:
    """The freeze that the run of the lock recorded for the same environment, if the store has it."""
    import json

    if lock.run is None or not store.has(lock.run):
        return None
    stages = store.get_record(lock.run).body.get("stages", {})
    for entry in (stages.get(lock.name, {}), *stages.values()):
        digest = entry.get("environment")
        if entry.get("parts", {}).get("environment") == lock.parts.get("environment") and digest is not None:
            return json.loads(store.get_bytes(digest)) if store.has(digest) else None
    return None
