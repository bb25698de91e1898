"""Type what a page of docs/tutorials says: its files are written, its commands run, and what they print is compared.

A block that starts with ``# name`` is that file. In a block with ``$`` lines each is a command for a shell; the lines
below it must all be among those that it prints.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

__all__ = ["type_page"]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def type_page(page: Path, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Do the page in ``folder``; returns the commands typed. Fails at the first that does not do what the page says."""
    typed = []
    for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind:
            head, _, body = text.partition("\n")
            path = folder / head.removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
            continue
        for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            done = subprocess.run(
                command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            said = done.stdout + done.stderr
            assert done.returncode == 0, f"$ {command}\n{said}"
            absent = [line for line in shown.splitlines() if line not in said.splitlines()]
            assert absent == [], f"$ {command}\n{said}"
            typed.append(command)
    return typed
