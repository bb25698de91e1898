"""Show a file that a command wrote, as the diff that Git would show."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from mintage.cli.console import emit

__all__ = ["show_new_file"]


def show_new_file(path: str, text: str, *, out: Callable[[str], None] = emit) -> None:
    """Print the diff from nothing to ``text``, line by line to ``out``."""
    for line in difflib.unified_diff([], text.splitlines(), "/dev/null", f"b/{path}", lineterm=""):
        out(line)
