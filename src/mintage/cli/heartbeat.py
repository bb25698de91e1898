"""Show that a long stage lives: where its output goes, and on a terminal its time and the last line of that.

Nothing is printed in the first seconds. The line on the terminal is rewritten each second and wiped at the end.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mintage.cli.console import say

if TYPE_CHECKING:
    import threading

__all__ = ["Heartbeat", "beat_line"]

_SILENT_S, _BEAT_S = 5.0, 1.0
_TAIL_BYTES = 2048
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")


class Heartbeat:
    """``begin`` when a stage starts, ``close`` when it ended or before anything else is printed."""

    def __init__(self, root: Path, *, silent_s: float = _SILENT_S, beat_s: float = _BEAT_S) -> None:
        self._root = root
        self._silent_s = silent_s
        self._beat_s = beat_s
        self._log: Path | None = None
        self._stop: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def begin(self, stage: str, log: Path) -> None:
        """Watch over ``stage``, whose output goes to ``log``."""
        import threading

        self.close()
        self._log = log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, args=(stage, log, self._stop), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wipe the line."""
        if self._stop is not None and self._thread is not None:
            self._stop.set()
            self._thread.join()
        self._stop = self._thread = self._log = None

    def interrupt(self) -> None:
        """Say where the output of the stage is that was running, if one was."""
        log = self._log
        self.close()
        if log is not None:
            say(f"\n  {log.stem:<12} interrupted; what it said until then is in {log.relative_to(self._root)}")

    def _beat(self, stage: str, log: Path, stop: threading.Event) -> None:
        began = time.monotonic()
        if stop.wait(self._silent_s):
            return
        say(f"    its output goes to {log.relative_to(self._root)}")
        if not sys.stderr.isatty():
            return
        while not stop.wait(self._beat_s):
            sys.stderr.write("\r\x1b[2K" + beat_line(stage, time.monotonic() - began, _last_bytes(log)))
            sys.stderr.flush()
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


def beat_line(stage: str, seconds: float, tail: bytes, *, width: int = 79) -> str:
    r"""The line on the terminal, without what could move its cursor.

    >>> beat_line("train", 3725.0, b"epoch 1\nepoch 2 \x1b[31mloss\x1b[0m 0.5\r\n")
    '  train        1:02:05  epoch 2 loss 0.5'
    """
    lines = [_CONTROL.sub("", line).strip() for line in re.split(r"[\r\n]", tail.decode(errors="replace"))]
    last = next((line for line in reversed(lines) if line), "")
    minutes, rest = divmod(int(seconds), 60)
    clock = f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return f"  {stage:<12} {clock}  {last}".rstrip()[:width]


def _last_bytes(log: Path) -> bytes:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - _TAIL_BYTES))
            return stream.read(_TAIL_BYTES)
    except OSError:
        return b""
