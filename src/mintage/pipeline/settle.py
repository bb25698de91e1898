"""A stage's facts as they are once its run saw what it uses of the code around it: its key has that now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mintage.pipeline.facts import StageFacts
from mintage.pipeline.key import cache_key
from mintage.pipeline.seen.key import Saw, rejoined, without

__all__ = ["news_of", "settled", "unnamed"]

_SHOWN = 5


def unnamed(facts: StageFacts, placed: Iterable[str]) -> set[str]:
    """What a run may be seen to use: the code that was ``placed`` for it, and what it was joined with before."""
    return {*placed, *facts.seen.code} - {*without(facts.parts, facts.seen.code)["code"]}


def settled(facts: StageFacts, saw: Saw | None) -> StageFacts:
    """``facts`` with the key of what their run saw; as they are if nobody looked."""
    if saw is None:
        return facts
    parts = rejoined(without(facts.parts, facts.seen.code), saw)
    return replace(facts, parts=parts, key=cache_key(parts), seen=saw.names)


def news_of(facts: StageFacts) -> list[str]:
    """What to tell of a run whose key has files now that its last one had not."""
    last = facts.lock.parts.get("code", {}) if facts.lock is not None else {}
    new = [path for path in facts.seen.code if path not in last]
    if not new:
        return []
    more = f" and {len(new) - _SHOWN} more" if len(new) > _SHOWN else ""
    return [f"uses {', '.join(new[:_SHOWN])}{more}, as was seen while it ran: a change there runs it again"]
