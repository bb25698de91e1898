"""``mintage serve`` as a process in the foreground: its URL, its end, what it said."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path


class Served:
    """A process that serves; ``url`` is the line that it printed."""

    def __init__(self, process):
        self.process = process
        self.url = process.stdout.readline().strip()

    def end(self):
        """Ask it to end; returns its exit code and what it said."""
        self.process.terminate()
        _, talk = self.process.communicate(timeout=30)
        return self.process.returncode, talk


@contextlib.contextmanager
def serving(*words, command=(sys.executable, "-m", "mintage", "serve"), cwd=Path("/"), env=None):
    """A serving process, which does not outlive the block."""
    process = subprocess.Popen(
        [*command, *map(str, words)], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Served(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
