"""Hide the submitter's project from a worker on the same machine: what is not declared is not found by its path either.

What stays readable within it is the worker's own folder and virtual environments that lie there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mintage.pipeline.environment import Environment
from mintage.pipeline.recording.protect import hide_from_thread as _hide

__all__ = ["hide_from_thread", "readable_within"]

_OURS = Path(__file__).parents[2]


def hide_from_thread(folders: Sequence[str], environment: Environment, *, readable: Sequence[Path]) -> None:
    """From now on the calling thread, and the command that it starts, cannot read in ``folders``, if the kernel can
    keep it from that."""
    hidden = [Path(folder) for folder in folders]
    prefixes = [Path(prefix) for prefix in environment.prefixes]
    _hide(hidden, readable=[*readable, *readable_within(hidden, prefixes), _OURS])


def readable_within(hidden: Sequence[Path], prefixes: Sequence[Path]) -> list[Path]:
    """The folders of interpreters that lie in what is hidden; one that holds all of it would open it again.

    >>> hidden = [Path("/srv/shop")]
    >>> readable_within(hidden, [Path("/srv/shop/.venv"), Path("/usr"), Path("/srv"), Path("/srv/shop")])
    [PosixPath('/srv/shop/.venv')]
    """
    return [
        prefix for prefix in prefixes if any(prefix != folder and prefix.is_relative_to(folder) for folder in hidden)
    ]
