"""Ask on the terminal; where nobody can answer, nothing is asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from mintage.cli.console import say

__all__ = ["ask_which", "ask_yes", "can_ask"]


def can_ask() -> bool:
    """Whether a person reads what is said and can type an answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_yes(question: str) -> bool:
    """Whether the answer is yes, which an empty line means too; an end of input is a no."""
    while True:
        answer = _answer(f"{question} [Y/n] ")
        if answer is None or answer.lower() in ("n", "no"):
            return False
        if answer.lower() in ("", "y", "yes"):
            return True


def ask_which(question: str, options: Sequence[str]) -> int | None:
    """The place of the chosen option, the first for an empty line; None at an end of input."""
    say(question)
    for place, option in enumerate(options, start=1):
        say(f"  {place}  {option}")
    while True:
        answer = _answer(f"Which? [1-{len(options)}, 1] ")
        if answer is None:
            return None
        if answer == "":
            return 0
        if answer.isdecimal() and 1 <= int(answer) <= len(options):
            return int(answer) - 1


def _answer(prompt: str) -> str | None:
    sys.stdout.flush()
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None
