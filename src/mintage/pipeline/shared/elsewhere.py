"""A result that is not whole in this clone: one's own whose bytes the remote has, else what another has made.

Asked only where a stage would run otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from mintage.pipeline.facts import Inspector, StageResult
from mintage.pipeline.shared.find import Found, Wanted
from mintage.pipeline.shared.recall import recall
from mintage.pipeline.shared.sharing import Sharing

__all__ = ["elsewhere"]


def elsewhere(
    inspector: Inspector, sharing: Sharing | None, wanted: Wanted, tell: Callable[[str], None]
) -> tuple[str, StageResult | None, Found | None]:
    """What to do (``run``, ``restore`` or ``download``), the result of ``wanted`` if it is whole now, and how it was
    found if another made it; ``tell`` gets a line about anything that a person may have expected to be used."""
    known, gone = recall(inspector, wanted.key, sharing.reached(tell) if sharing is not None else None)
    if known is None and sharing is not None:
        found = sharing.find(inspector, wanted, tell)
        if found is not None:
            return ("download" if found.came else "restore"), found.result, found
    if gone is not None:
        tell(f"{gone}: it runs again")
    return ("run" if known is None else "restore"), known, None
