"""A notebook's cells as plain Python and the commands that they start, for whoever reads code without running it. Pure.

Magics, ``!`` lines and questions are not Python. A cell that does not parse is read again with such lines masked, each
by one line, so that numbers of lines stay. A cell that still does not parse, or is in another language (``%%bash``),
counts as blank. ``%time`` and ``%%time`` and their like leave the code that they measure.

>>> print(masked("%matplotlib inline\\nfiles = !ls data\\n%time fit(3)"))
pass
files = None
fit(3)
>>> commands_of("%run lib/clean.py --fast\\n!python prepare.py > log.txt")
['lib/clean.py --fast', 'python prepare.py > log.txt']
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from mintage.repo.notebook import Cell

__all__ = ["commands_of", "masked", "python_text"]

_ASSIGNED = re.compile(r"^(?P<indent>\s*)(?P<names>[\w., \t*]+?)\s*=\s*[!%]")
_MAGIC = re.compile(r"^(?P<indent>\s*)(?P<mark>%%?|!!?|\?{1,2})(?P<rest>.*)$")
_MEASURES = re.compile(r"(?:time|timeit|prun|memit|mprun|lprun)\b(?:\s+-\w+(?:\s+\d+)?)*\s*(?P<code>.*)$")
_WRAPPERS = ("capture", "prun", "time", "timeit", "memit")
_SHELLS = ("bash", "sh", "script", "system", "sx", "!")


def python_text(cells: Sequence[Cell]) -> tuple[str, list[tuple[int, int]]]:
    """All cells as one Python text, and for each of its lines the cell's number and the line in that cell."""
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    for cell in cells:
        for number, line in enumerate(masked(cell.source).split("\n"), start=1):
            lines.append(line)
            places.append((cell.number, number))
    return "\n".join(lines) + "\n", places


def masked(source: str) -> str:
    """The cell as Python with as many lines, or blank lines."""
    if _parses(source):
        return source
    lines = source.split("\n")
    head = lines[0].strip()
    if head.startswith("%%"):
        if head[2:].partition(" ")[0] not in _WRAPPERS:
            return "\n" * (len(lines) - 1)
        lines[0] = "pass"
    text = "\n".join(_mask(line) for line in lines)
    return text if _parses(text) else "\n" * (len(lines) - 1)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _mask(line: str) -> str:
    assigned = _ASSIGNED.match(line)
    if assigned is not None:
        return f"{assigned['indent']}{assigned['names']} = None"
    magic = _MAGIC.match(line)
    if magic is None:
        asks = line.rstrip().endswith("?") and "#" not in line
        return f"{line[: len(line) - len(line.lstrip())]}pass" if asks else line
    measured = _MEASURES.match(magic["rest"]) if magic["mark"] == "%" else None
    return f"{magic['indent']}{(measured['code'] if measured is not None else '') or 'pass'}"


def commands_of(source: str) -> list[str]:
    """What a cell starts through ``!``, ``%run`` and cells for a shell, as text for a shell."""
    lines = source.split("\n")
    if lines[0].startswith("%%") and lines[0][2:].partition(" ")[0].strip() in _SHELLS:
        return [line for line in lines[1:] if line.strip()]
    if _parses(source):
        return []
    return list(_started(lines))


def _started(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        command = re.match(r"^\s*(?:[\w., \t*]+=\s*)?(?:!{1,2}|%(?:run|system|sx)\s)\s*(?:-\w\s+)*(.*)$", line)
        if command is not None:
            yield command[1]
