"""What a run saw of the code around it, taken from its recording."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.pipeline.seen.key import Listed, Saw, listed_names
from mintage.pipeline.seen.sources import sources_among
from mintage.record.digest import blake3_file

if TYPE_CHECKING:
    from mintage.pipeline.recording.recording import Recording

__all__ = ["saw_in"]


def saw_in(recording: Recording, *, among: Iterable[str], around: Collection[str], work: Path) -> Saw:
    """Which of the files ``among`` in ``work`` the recorded run used, of which folders of the code ``around`` it read
    the names, and what it looked for that would belong there.

    Where reads by other programs than Python could not be seen, what is not Python counts as used.
    """
    known = {*among}
    used = {*recording.reads, *recording.modules} & known - {*recording.writes}  # what it wrote first is its own
    if recording.blind:
        used |= {path for path in known - {*recording.writes} if not path.endswith(".py")}
    code = {path: blake3_file(work / path) for path in sorted(used) if (work / path).is_file()}
    return Saw(code=code, listed=_listed(recording.named, around, code), absent=_absent(recording, around))


def _absent(recording: Recording, around: Collection[str]) -> tuple[str, ...]:
    looked = {*recording.absent} - {*around}
    return tuple(path for path in sources_among({*around, *looked}) if path in looked) if looked else ()


def _listed(named: Iterable[str], around: Collection[str], used: Iterable[str]) -> dict[str, Listed]:
    """The folders that hold code, by its names; the root, which holds all sorts of things, only if code was found there
    that way."""
    found = {path.rpartition("/")[0] or "." for path in used}
    folders = [folder for folder in named if folder != "." or folder in found]
    return {folder: names for folder in folders if (names := listed_names(around, folder))}
