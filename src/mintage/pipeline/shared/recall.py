"""Bring back a result of one's own whose bytes are not all here, or say which are gone.

What this clone made and remembers may have lost its bytes: a store that was cleaned, a disk that was changed. The
remote may still have them. If no store has, the result is none any more: one line names the file, and the stage runs.
"""

from __future__ import annotations

import msgspec

from mintage.data.transfer import Need, transfer
from mintage.errors import IntegrityError
from mintage.pipeline.facts import Inspector, StageResult
from mintage.store.local import Store

__all__ = ["recall"]

_SHOWN = 3


def recall(inspector: Inspector, key: str, remote: Store | None) -> tuple[StageResult | None, str | None]:
    """The remembered result of ``key``, whole now, or what to tell of it; neither if nothing is remembered."""
    text = inspector.cache.result(key)
    if text is None:
        return None, None
    result = msgspec.json.decode(text, type=StageResult)
    lacking = _lacking(result, inspector.store, remote)
    if lacking:
        shown = ", ".join(lacking[:_SHOWN]) + (f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else "")
        return None, f"was made before, but {shown} {'are' if len(lacking) > 1 else 'is'} in no store any more"
    return inspector.known_result(key), None


def _lacking(result: StageResult, store: Store, remote: Store | None) -> list[str]:
    """What is in no store after all that the remote has was brought, by the names that people know."""
    found: list[str] = []
    named = [
        *((Need(item.digest, "folder" if item.folder else "bytes"), item.path) for item in result.outputs),
        (Need(str(result.run), "bytes"), "the record of its run"),
        *((Need(digest, "bytes"), "what it logged") for digest in (result.record, result.mlflow) if digest is not None),
    ]
    for need, name in named:
        try:
            done = transfer([need], source=store if remote is None else remote, target=store)
        except IntegrityError:
            found.append(name)  # damaged in the remote: as good as gone
            continue
        if done.lost:
            found.append(name if need.what == "bytes" else _within(need.digest, done.lost, name, store))
    return found


def _within(folder: str, lost: list[str], name: str, store: Store) -> str:
    """Which file of a folder is gone."""
    if not store.has(folder):
        return name
    first = next((entry.path for entry in store.get_tree(folder).entries if entry.digest in lost), "")
    return f"{name}/{first}"
