"""The options that a stage's ``args`` add to its command. Pure.

They are appended in the order of their names, so that equal keys mean equal commands. A value comes back to the script
as it was written: a number with all its digits, a text as it stands; one that begins with ``-`` is joined by ``=``,
because it would be taken for an option.

>>> argument_words({"rate": 0.1, "depth": 5, "shift": -1e-05})
['--depth', '5', '--rate', '0.1', '--shift=-1e-05']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mintage.errors import ProjectError

__all__ = ["argument_text", "argument_words", "check_arguments", "given_options", "stands_for"]


def argument_words(arguments: Mapping[str, int | float | str]) -> list[str]:
    """The words to append to a command."""
    words: list[str] = []
    for name, value in sorted(arguments.items()):
        text = argument_text(value)
        words += [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]
    return words


def check_arguments(command: Sequence[str], arguments: Mapping[str, object], *, stage: str) -> None:
    """Raise ProjectError if an option stands both in the command and in ``args``."""
    given = given_options(command)
    for name in arguments:
        if name in given:
            raise ProjectError(
                f"the option --{name} of stage {stage} stands twice",
                expected="one value",
                found="in `run` and in `args`",
                where="mintage.yaml",
                hint="take it out of one of the two",
            )


def argument_text(value: int | float | str) -> str:
    """A value as a word of a command."""
    return repr(value) if isinstance(value, float) else str(value)


def given_options(command: Sequence[str]) -> dict[str, Any]:
    """Options of a command by name, with the value that follows (True if none does); not those of Python itself.

    >>> given_options(["python", "-u", "t.py", "a.csv", "--rate", "0.5", "--depth=3", "-v"])
    {'rate': '0.5', 'depth': '3', 'v': True}
    """
    return dict(_options(command[_own_start(command) :]))


def stands_for(given: str, names: Sequence[str]) -> bool:
    """Whether an option of a command, dashes left out, is one of ``names`` (with dashes), the beginning of a long one,
    or a short one with its value attached.

    >>> stands_for("ra", ["--rate"]), stands_for("r0.5", ["--rate", "-r"]), stands_for("depth", ["--rate", "-r"])
    (True, True, False)
    """
    for name in names:
        bare = name.lstrip("-")
        if (name.startswith("--") and bare.startswith(given)) or (not name.startswith("--") and given.startswith(bare)):
            return True
    return False


def _own_start(command: Sequence[str]) -> int:
    """Where the words begin that the program itself gets."""
    if command[0] not in ("python", "python3"):
        return 1
    for index, word in enumerate(command[1:], 1):
        if word in ("-m", "-c"):
            return index + 2
        if not word.startswith("-"):
            return index + 1
    return len(command)


def _options(command: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for index, word in enumerate(command):
        if not word.startswith("-") or not word.strip("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        following = command[index + 1] if index + 1 < len(command) else "-"
        yield name, value if equals else True if following.startswith("-") else following
