"""The text of a Dockerfile from structured data: every word is quoted, no form of an instruction that meets a shell.

>>> print(render([("FROM", "python:3.12"), ("CMD", ["mintage", "serve"]), ("LABEL", {"title": "$a"})]), end="")
FROM python:3.12
CMD ["mintage", "serve"]
LABEL "title"="\\$a"
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

__all__ = ["Instruction", "quoted", "render"]

Instruction = tuple[str, str | Sequence[str] | Mapping[str, str]]
"""Its name, and text of our own as it is, words in the exec form, or pairs."""


def render(instructions: Iterable[Instruction]) -> str:
    """The file, an instruction a line."""
    return "".join(f"{name} {_arguments(value)}\n" if name != "#" else f"\n# {value}\n" for name, value in instructions)


def _arguments(value: str | Sequence[str] | Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return " ".join(f"{quoted(key)}={quoted(text)}" for key, text in value.items())
    return json.dumps(list(value))


def quoted(text: str) -> str:
    """A value of LABEL: what is not printable ASCII becomes %XX, what a Dockerfile reads more into is escaped."""
    plain = "".join(char if " " <= char <= "~" else quote(char, safe="", errors="replace") for char in text)
    for char in ("\\", '"', "$"):
        plain = plain.replace(char, f"\\{char}")
    return f'"{plain}"'
