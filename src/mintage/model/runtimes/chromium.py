"""A headless Chromium with one page: found, started, and ended with all of its processes.

Each has a new profile in a folder of the caller, and talks to no server but the page's. It runs without a sandbox of
its own, as a container's user must; it is given nothing but our own page.

>>> FLAGS[0]
'--headless'
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from mintage.errors import RuntimeFailedError

__all__ = ["FLAGS", "browse", "find_chromium", "read_version"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
_END_S = 20.0


def find_chromium() -> str | None:
    """The program, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def read_version(program: str) -> str | None:
    """As ``Chromium 156.0.8078.108``; None if the program does not start."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"\D*[\d.]+", done.stdout)
    return match[0].strip() if match else None


@contextlib.contextmanager
def browse(program: str, url: str, folder: Path, *, ended: Callable[[], None]) -> Iterator[subprocess.Popen[bytes]]:
    """Open a page; at the end all processes of this browser are killed.

    ``ended`` is called in another thread when the browser has ended by itself, or was ended by another. What it prints
    goes to ``folder/chromium.txt``.
    """
    folder.mkdir(parents=True)
    command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", url]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(folder)},
            start_new_session=True,
        )
    except OSError as error:
        raise RuntimeFailedError("Chromium does not start", found=str(error), where=program) from error
    # Read to its end: that comes when the last process that holds the pipe, the browser or a child, is gone.
    printed = threading.Thread(target=_copy, args=(process, folder / "chromium.txt"), daemon=True)
    waiting = threading.Thread(target=_wait, args=(process, printed, ended), daemon=True)
    printed.start()
    waiting.start()
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        waiting.join(_END_S)
        printed.join(_END_S)


def _copy(process: subprocess.Popen[bytes], log: Path) -> None:
    assert process.stderr is not None
    with process.stderr as pipe, log.open("wb", buffering=0) as file:
        while block := pipe.read1(1 << 16):  # type: ignore[attr-defined]  # a pipe is a BufferedReader
            file.write(block)


def _wait(process: subprocess.Popen[bytes], printed: threading.Thread, ended: Callable[[], None]) -> None:
    process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # a page must not answer on when its browser is gone
    printed.join(_END_S)  # its last words come before the news of its end; a child may hold the pipe for ever
    ended()
