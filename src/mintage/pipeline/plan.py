"""Decide what to do with one stage. Pure.

>>> plan(lock_key="b3:1", key="b3:1", in_place=True, known_result=False, force=False)
'keep'
>>> plan(lock_key="b3:1", key="b3:2", in_place=True, known_result=True, force=False)
'restore'
"""

from __future__ import annotations

from typing import Literal

__all__ = ["Action", "plan"]

Action = Literal["keep", "restore", "run"]


def plan(*, lock_key: str | None, key: str, in_place: bool, known_result: bool, force: bool) -> Action:
    """Keep what is there, restore a result made earlier under the same key, or run the command.

    ``in_place``: the outputs in the work tree are those of the lock. ``known_result``: all bytes of a result under
    ``key`` are in the store.
    """
    if force:
        return "run"
    if lock_key == key and in_place:
        return "keep"
    return "restore" if known_result else "run"
