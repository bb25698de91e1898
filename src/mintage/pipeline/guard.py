"""End what a command started when Mintage itself is killed (SIGKILL), which then can end nothing.

``guarded`` keeps a small process beside a command, a shell that waits at a pipe. When the block ends it is told so and
goes; when the pipe closes without a word, the other end was killed, and it becomes a Python that ends everything with
the command's mark (``leftover``). The command alone would die with Mintage anyway (PR_SET_PDEATHSIG); what it has
started would not. Where there is no ``/bin/sh`` nothing is guarded.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["guarded"]

_SHELL = "/bin/sh"
_PASSED = ("PATH", "LD_LIBRARY_PATH")
_WAIT = 'read -r word; [ "$word" = over ] || exec "$@"'


@contextlib.contextmanager
def guarded(marker: str) -> Iterator[None]:
    """Guard the processes whose environment has ``marker`` (``NAME=value``) while the block runs."""
    if not Path(_SHELL).exists():
        yield
        return
    script = str(Path(__file__).with_name("leftover.py"))
    guard = subprocess.Popen(
        [_SHELL, "-c", _WAIT, "mintage-guard", sys.executable, "-I", "-S", script, marker],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _PASSED if name in os.environ},
        start_new_session=True,
    )
    try:
        yield
    finally:
        with contextlib.suppress(BrokenPipeError):
            guard.communicate(b"over\n")
