r"""What a command has said since the last look: whole lines of its log, without the values that are to be hidden.

The log itself is masked when the command has ended; what goes on its way before that is masked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mintage.pipeline.secret import masked, secret_values

__all__ = ["LiveLog"]

_BLOCK = 256 << 10


class LiveLog:
    """The lines of the file ``path`` as they come; one without an end counts when it is very long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hidden: list[str] | None = None
        self._read = 0

    def hide(self, variables: Mapping[str, str], *, secrets: Mapping[str, str]) -> None:
        """Mask the ``secrets``, and what looks like one among ``variables``; nothing is told before this was called."""
        lines = {line for value in secrets.values() for line in (value, *value.splitlines()) if line}
        known = {*lines, *secret_values({**variables, **secrets})}
        self._hidden = sorted(known, key=lambda value: (-len(value), value))

    def new_lines(self) -> str:
        """What was said since the last call."""
        if self._hidden is None or not self._path.is_file():
            return ""
        with self._path.open("rb") as stream:
            stream.seek(self._read)
            block = stream.read(_BLOCK)
        end = block.rfind(b"\n") + 1 or (len(block) if len(block) == _BLOCK else 0)
        self._read += end
        return masked(block[:end], self._hidden).decode(errors="replace")
