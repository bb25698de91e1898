"""Tells the demo: a heading for each step, the command that a user would type, and what it said, indented."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mintage.errors import RunError

__all__ = ["Narrator"]


class Narrator:
    """Runs commands in the demo's folder and shows them; remembers what happened for the ten lines at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary: list[str] = []
        self.steps: dict[str, float] = {}
        self.last_s = 0.0
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def step(self, title: str, *text: str) -> None:
        """A heading, and what is about to happen."""
        self._write("")
        self._write(self._style(f"== {title}", "1"))
        for line in text:
            self._write(line)

    def tell(self, text: str) -> None:
        """One line of the story."""
        self._write(text)

    def remember(self, line: str) -> None:
        """One of the lines at the end."""
        self.summary.append(line)

    def mintage(self, *words: str, expect: Sequence[int] = (0,), quiet: bool = False) -> str:
        """Show and run ``mintage words``; raises RunError if it exits with another code than expected."""
        return self._run(
            [sys.executable, "-m", "mintage", *words], shown=["mintage", *words], expect=expect, quiet=quiet
        )

    def git(self, *words: str, quiet: bool = False) -> str:
        """Show and run ``git words``."""
        return self._run(["git", *words], shown=["git", *words], expect=(0,), quiet=quiet)

    def _run(self, command: list[str], *, shown: list[str], expect: Sequence[int], quiet: bool) -> str:
        self._write(self._style("$ " + shlex.join(shown), "36"))
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if not quiet:
                    self._write(self._style("  " + line.rstrip("\n"), "2"))
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        took = self.last_s = time.monotonic() - started
        name = " ".join(shown[:2])
        self.steps[name] = self.steps.get(name, 0.0) + took
        if code not in expect:
            output = "".join(lines[-15:]) if quiet else ""
            raise RunError(
                f"the demo's command `{shlex.join(shown)}` did not end as it should"
                + (f"\n{output}" if output else ""),
                expected=f"exit code {' or '.join(map(str, expect))}",
                found=str(code),
                where=str(self.folder),
                hint="the folder is left as it is: go there and run the command again",
            )
        return "".join(lines)

    def _style(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text

    def _write(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
