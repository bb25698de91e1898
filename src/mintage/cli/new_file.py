"""Show a file that a command wrote, as the diff that Git would show."""

from __future__ import annotations

from collections.abc import Callable

from mintage.cli.console import emit

__all__ = ["show_change", "show_new_file"]


def show_new_file(path: str, text: str, *, out: Callable[[str], None] = emit) -> None:
    """Print the diff from nothing to ``text``, line by line to ``out``."""
    show_change(path, "", text, out=out)


def show_change(path: str, old: str, new: str, *, out: Callable[[str], None] = emit) -> None:
    """Print the diff from ``old`` (empty: there was no file) to ``new``, line by line to ``out``."""
    import difflib

    before = f"a/{path}" if old else "/dev/null"
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), before, f"b/{path}", lineterm="", n=1):
        out(line)
