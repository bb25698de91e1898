"""What a run tells while it goes on, and what it did in the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mintage.pipeline.first_run import Learned
    from mintage.pipeline.infer.find_models import FoundModels

import msgspec

__all__ = ["Event", "RunOutcome"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something a watcher may want to show: ``stage`` was kept, restored or downloaded (``detail``: who made it, when),
    started (its output goes to ``log``), recorded (``learned`` is what that gave) or ended (after seconds), did what
    ``detail`` says (a note), wrote the file ``detail`` of the project, failed with ``detail`` while others go on, or is
    left out because ``detail`` failed (skip); models were found among what stages wrote (``found``); something else is
    to be told (``detail``)."""

    what: Literal[
        "keep", "restore", "download", "start", "note", "learn", "find", "end", "write", "fail", "skip", "tell"
    ]
    stage: str
    learned: Learned | None = None
    found: FoundModels | None = None
    detail: str = ""
    duration_s: float = 0.0
    log: Path | None = None


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did: per stage ``keep``, ``restore``, ``download`` or ``run``; its id and record if anything was not
    kept; ``learned`` has the stages that were recorded and declared, ``found`` the models among what they wrote,
    ``remarks`` what else to know of a stage; ``before`` is the commit of the work tree as the run found it."""

    actions: dict[str, str]
    run_id: str | None
    record: str | None
    before: str | None
    wrote: tuple[str, ...]
    learned: dict[str, Learned]
    found: FoundModels | None
    remarks: dict[str, list[str]]
