"""What a stage asked for in vain: files of the project that it does not declare, and files behind its sandbox's walls.

Python processes say it (``hookmissed``), with the place in the project's code. Of what is missing in the project as
well nothing is said, nor of what the stage made in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mintage.pipeline.recording.hooklog import Said
from mintage.pipeline.recording.mirror import LEFT_OUT, Mirror, Stamp
from mintage.pipeline.recording.outside import is_data

__all__ = ["Missed", "missed_in"]


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A file that was asked for: its path in the project, or an absolute one elsewhere; ``place`` is the line of the
    project's code (``train.py:4``) if known; ``opened``: not only looked for."""

    path: str
    place: str = ""
    opened: bool = True

    @property
    def inside(self) -> bool:
        """Whether it is one of the project."""
        return not self.path.startswith("/")


def missed_in(
    said: Iterable[Said], made: Mirror, *, after: Mapping[str, Stamp], libraries: Sequence[str]
) -> tuple[Missed, ...]:
    """Each file once, sorted; where it was opened counts before where it was looked for."""
    found: dict[str, Missed] = {}
    for line in said:
        if line.kind not in ("missed", "looked"):
            continue
        try:
            path, place = msgspec.json.decode(line.what, type=tuple[str, str])
        except msgspec.MsgspecError:
            continue
        name = _name(path, made, after=after, libraries=libraries)
        if name is None or (name.startswith("/") and line.kind == "looked"):
            continue
        if name not in found or (line.kind == "missed" and not found[name].opened):
            found[name] = Missed(path=name, place=place, opened=line.kind == "missed")
    return tuple(found[name] for name in sorted(found))


def _name(path: str, made: Mirror, *, after: Mapping[str, Stamp], libraries: Sequence[str]) -> str | None:
    """What to call a path that was not to be had; None for what is of no interest."""
    base = next((base for base in (made.work, made.root) if path.startswith(f"{base}/")), None)
    if base is None:
        elsewhere = is_data(path, libraries=libraries) and not path.startswith(f"{made.work.parent}/")
        return path if elsewhere and Path(path).exists() else None
    inside = path[len(str(base)) + 1 :]
    if path.startswith(tuple(libraries)) or not is_data(inside, libraries=()) or LEFT_OUT & set(inside.split("/")):
        return None
    known = base == made.work and (inside in made.files or inside in made.folders)
    wrote = after.get(inside, (0, 0, 0))[1] > 0 and inside not in made.files
    return inside if not known and not wrote and (made.root / inside).exists() else None
