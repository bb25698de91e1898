"""What a recorded command did: the record that ``record`` returns and ``propose`` reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mintage.pipeline.recording.missed import Missed
from mintage.pipeline.sandbox import Finished

__all__ = ["Recording"]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Paths are relative to the project, sorted.

    ``reads`` were there before and were read; ``writes`` are there afterwards and new or written over, files written
    and deleted again left out. ``changed_inputs`` are those of ``reads`` that were then changed, moved or deleted, and
    ``deleted`` other files that are gone. ``modules`` are Python files that were loaded or read, ``listed`` folders
    whose names were read, ``named`` those (``.``: the root) that were not listed just to import from them, ``before``
    all files that were there, ``linked`` those of them that were links to the user's. ``outside_reads`` are data-like
    files elsewhere, ``outside_writes`` files left elsewhere, ``hosts`` names that were looked up. ``unsteady`` are
    reads that somebody else changed in the project meanwhile. ``asked`` are files and folders of the project that
    Python asked for and that were not there; ``missed`` are, in a sandbox, these with the place, and those that it only
    looked for or was denied; ``absent`` what of the project Python looked for in vain, as a module or a file. ``seeds``
    are calls that seeded, by value and place; ``unseeded`` generators that were used without that; ``used`` the numeric
    libraries that its processes had loaded. ``took_params`` says that the file at $MINTAGE_PARAMS was opened,
    ``seen_by`` how reads were seen, ``blind`` that those by other programs were not; ``notes`` what could not be seen.
    """

    finished: Finished
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    appended: tuple[str, ...] = ()
    changed_inputs: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    outside_reads: tuple[str, ...] = ()
    outside_writes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    missed: tuple[Missed, ...] = ()
    seeds: tuple[str, ...] = ()
    unseeded: tuple[str, ...] = ()
    used: tuple[dict[str, Any], ...] = ()
    took_params: bool = False
    seen_by: Literal["inotify", "hook"] = "inotify"
    blind: bool = False
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
