"""Remember which names the runs of a key without them saw: in the stage's lock, and beside the results in the cache.

The lock is committed, so that a clone looks up the same key; the notes find what was run with other parameters, or on
another branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from mintage.pipeline.key import cache_key
from mintage.pipeline.seen.key import Seen, without
from mintage.repo.locks import Lock

if TYPE_CHECKING:
    from mintage.store.statcache import StatCache

__all__ = ["note", "noted", "seen_by"]

_MOST = 16


def seen_by(lock: Lock | None) -> Seen:
    """The names in a stage's lock."""
    if lock is None or not (lock.seen or "listed" in lock.parts or "absent" in lock.parts):
        return Seen()
    parts = lock.parts
    return Seen(code=lock.seen, folders=tuple(parts.get("listed", ())), absent=tuple(parts.get("absent", ())))


def noted(cache: StatCache, key: str) -> tuple[Seen, ...]:
    """What runs saw under a key without it, the latest first."""
    text = cache.result(f"seen:{key}")
    return () if text is None else msgspec.json.decode(text, type=tuple[Seen, ...])


def note(cache: StatCache, parts: Mapping[str, Any], seen: Seen) -> None:
    """Note that a run whose key has ``parts`` saw these names; does nothing if it saw none."""
    if seen == Seen():
        return
    key = cache_key(without(parts, seen.code))
    known = noted(cache, key)
    if known[:1] != (seen,):
        entries = (seen, *(each for each in known if each != seen))[:_MOST]
        cache.remember(f"seen:{key}", msgspec.json.encode(entries).decode())
