"""A DVC command as a command of a stage: DVC hands it to a shell, Mintage starts it itself. Pure.

A plain command stays as it is; one that needs a shell, another folder or several steps becomes ``sh -c``.

>>> stage_command("python train.py --depth 3", base="")
'python train.py --depth 3'
>>> stage_command(["python a.py", "python b.py > b.txt"], base="steps")
"sh -c 'cd steps && python a.py && python b.py > b.txt'"
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

__all__ = ["command_words", "stage_command"]

_SHELL = re.compile(r"[|&;<>()$`\\*?\[\]#~{}!\n]|^\s*\w+=|^\s*(?:cd|set|export|source|eval|exec|\.)\s")


def stage_command(command: str | Sequence[str], *, base: str) -> str:
    """The command line for ``run:``; ``base`` is the folder that the stage runs in, from the root."""
    steps = [command.strip()] if isinstance(command, str) else [step.strip() for step in command]
    if len(steps) == 1 and not base and not needs_shell(steps[0]):
        return steps[0]
    if len(steps) > 1 or base:
        steps = [f"(\n{step}\n)" if re.search(r"[;|&\n#]", step) else step for step in steps]
    go = [f"cd {shlex.quote(base)}"] if base else []
    return f"sh -c {shlex.quote(' && '.join([*go, *steps]))}"


def needs_shell(command: str) -> bool:
    """Whether a command means something else without a shell."""
    if _SHELL.search(command):
        return True
    try:
        return not shlex.split(command)
    except ValueError:
        return True


def command_words(command: str | Sequence[str]) -> list[str]:
    """The words of a command, as far as they can be told: to find the scripts among them."""
    found: list[str] = []
    for step in [command] if isinstance(command, str) else command:
        lexer = shlex.shlex(step, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            found += list(lexer)
        except ValueError:
            found += step.split()
    return found
