"""What the commands print with: plain lines, and rich only where a terminal shows tables or progress.

Data go to stdout, talk to stderr. Everything is readable without colour.
"""

from __future__ import annotations

import contextlib
import numbers
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from mintage.errors import UsageError

__all__ = ["Advance", "count_of", "emit", "emit_json", "human_size", "plural", "progress", "say", "table"]


def say(text: str = "") -> None:
    """One line of talk."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def emit(text: str = "") -> None:
    """One line of data."""
    sys.stdout.write(text + "\n")


def emit_json(value: Any) -> None:
    """A value as JSON data. A number that is not finite, which JSON cannot say, becomes null."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=_plain), indent=2).decode() + "\n")


def _plain(value: Any) -> int | float:
    """A NumPy number as one of Python."""
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise NotImplementedError(type(value).__name__)


def table(rows: Sequence[Sequence[object]], *, head: Sequence[str] = (), indent: str = "") -> str:
    """Columns aligned with spaces; numbers to the right.

    >>> print(table([("a", 1), ("bb", 20)], head=("name", "n")))
    name   n
    a      1
    bb    20
    """
    cells = [[str(cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    if not cells:
        return ""
    widths = [max(len(row[index]) for row in cells) for index in range(len(cells[0]))]
    right = [bool(rows) and all(isinstance(row[index], int | float) for row in rows) for index in range(len(widths))]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(indent + line for line in lines)


def human_size(size: int) -> str:
    """Bytes for people.

    >>> human_size(2736975)
    '2.7 MB'
    """
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count_of(text: str) -> int:
    """A number of things to list, for argparse; raises UsageError.

    >>> count_of("20")
    20
    """
    if not text.isdecimal() or int(text) < 1:
        raise UsageError("not a number of entries", expected="1 or more", found=repr(text))
    return int(text)


def plural(count: int, noun: str) -> str:
    """``3 stages``, ``1 stage``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: float, *, title: str | None = None) -> None:
        """The amount that is done, and another title where it changes."""
        ...


@contextlib.contextmanager
def progress(title: str, total: float | None) -> Iterator[Advance]:
    """A progress bar on stderr while the block runs, if that is a terminal; the callable takes the amount done."""
    if not sys.stderr.isatty():
        yield _show_nothing
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def advance(done: float, *, title: str | None = None) -> None:
            bar.update(task, completed=done, description=title)

        yield advance


def _show_nothing(done: float, *, title: str | None = None) -> None:
    """Stderr is no terminal."""
