"""The lock that makes a gateway the only one of its environment, and tells who it is.

A gateway holds ``gateway.lock`` for as long as it lives and has its process id in it. The kernel frees the lock with
the process, however that ends: a process id that was given to another program in the meantime cannot be mistaken
for a gateway.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from mintage.errors import GatewayRunningError

__all__ = ["holder", "take_lock"]

_LOCK_FILE = "gateway.lock"


def take_lock(envdir: Path, *, patience_s: float = 0.5) -> IO[str]:
    """Hold the environment's lock until the returned file is closed; raises GatewayRunningError.

    The patience is for ``holder``, which touches the lock for an instant.
    """
    stream = (envdir / _LOCK_FILE).open("a+")
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                stream.seek(0)
                found = stream.read().strip()
                stream.close()
                raise GatewayRunningError(
                    "a gateway already serves this environment",
                    found=f"process {found or 'unknown'}",
                    where=str(envdir),
                    hint="it follows desired.json by itself; stop it first to start another",
                ) from None
            time.sleep(0.02)
    stream.seek(0)
    stream.truncate()
    stream.write(str(os.getpid()))
    stream.flush()
    return stream


def holder(envdir: Path) -> int | None:
    """The process id of the environment's living gateway, or None."""
    try:
        stream = (envdir / _LOCK_FILE).open("r")
    except FileNotFoundError:
        return None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = stream.read().strip()
            return int(text) if text.isdigit() else None
        return None
