"""The gateway's side of the prediction log: append before the answer, compact from a thread.

``append`` returns once the entry is in the kernel's hands: from then on the end of the process, however it ends, loses
nothing. The thread makes it survive a power cut within ``sync_s`` and turns the spool into Parquet each ``flush_s``,
after ``flush_rows`` rows, and at ``close``. A disk that refuses a write refuses the prediction: nothing is answered
that is not logged. A compaction that fails keeps its segment and is tried again.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Protocol

from mintage.errors import LogInvalidError, LogUnavailableError
from mintage.serve.predictionlog import compact, spool_dir
from mintage.serve.spool import Segment, segments

__all__ = ["Log", "LogWriter", "Unlogged", "recover"]

_log = logging.getLogger("mintage.serve")


def recover(envdir: Path) -> list[str]:
    """Compact what an earlier gateway left in the spool; call it while holding the environment's lock.

    Returns a text for each segment that had damaged lines.
    """
    problems = []
    for path in segments(spool_dir(envdir)):
        if damaged := compact(path, envdir):
            problems.append(
                f"serve.log-invalid: {damaged} damaged lines of the spool were left out; see spool/damaged/{path.name}"
            )
    return problems


class Log(Protocol):
    """Where the gateway's predictions go."""

    def append(self, payload: bytes, rows: int) -> None:
        """Log one encoded entry of ``rows`` predictions; raises LogUnavailableError, and then it is not logged."""

    def close(self) -> None:
        """Write down all that was appended."""


class Unlogged:
    """The log of a gateway that keeps none."""

    def append(self, payload: bytes, rows: int) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing is to be written."""


class LogWriter:
    """One environment's log, open for writing. ``append`` is for the event loop's thread."""

    def __init__(self, envdir: Path, *, flush_s: float = 10.0, flush_rows: int = 20_000, sync_s: float = 1.0) -> None:
        self._envdir = envdir
        self._flush_s, self._flush_rows, self._sync_s = flush_s, flush_rows, sync_s
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._segment = Segment(spool_dir(envdir))
        self._closed: list[Path] = []
        self._rows = 0
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="prediction-log", daemon=True)
        self._thread.start()

    def append(self, payload: bytes, rows: int) -> None:
        """Log one encoded entry of ``rows`` predictions; raises LogUnavailableError, and then it is not logged."""
        try:
            with self._lock:
                self._segment.append(payload)
                self._rows += rows
        except OSError as error:
            raise LogUnavailableError(
                "the prediction could not be logged, so it is not given",
                found=str(error),
                hint="see that the disk of the environment's folder has room",
            ) from error
        if self._rows >= self._flush_rows:
            self._wake.set()

    def close(self) -> None:
        """Flush all and end the thread; nothing may be appended any more."""
        self._closing = True
        self._wake.set()
        self._thread.join()
        self._closed.append(self._segment.path)
        self._segment.close()
        self._compact_closed()

    def _work(self) -> None:
        while not self._closing:
            self._wake.wait(self._sync_s)
            self._wake.clear()
            try:
                if self._rows >= self._flush_rows or time.monotonic() - self._since >= self._flush_s:
                    self._flush()
                elif self._rows:
                    self._segment.sync()
            except (OSError, LogInvalidError) as error:
                _log.error("the prediction log could not be written, trying again: %s", error)

    def _flush(self) -> None:
        """Start a new segment, if the current one has entries, and compact the closed ones."""
        self._since = time.monotonic()
        if self._rows:
            fresh = Segment(spool_dir(self._envdir))
            with self._lock:
                last, self._segment, self._rows = self._segment, fresh, 0
            self._closed.append(last.path)
            last.close()
        self._compact_closed()

    def _compact_closed(self) -> None:
        while self._closed:
            compact(self._closed[0], self._envdir)
            del self._closed[0]
