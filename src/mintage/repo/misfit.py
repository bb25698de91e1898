"""What msgspec says of a value that does not fit, in the words of who writes YAML. Pure.

>>> describe("Expected `object | null`, got `str`")
('a mapping or nothing', 'text')
>>> describe("Expected `int` >= 1")
('a whole number >= 1', None)
>>> describe("Invalid enum value 'portabel'", allowed=("off", "portable"))
('off, portable', "'portabel'")
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["describe"]

_WORDS = {
    "object": "a mapping",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_TYPES = re.compile(r"`([^`]+)`")
_GOT = re.compile(r"^(?P<expected>.*), got (?P<found>`[^`]+`)$")
_ENUM = re.compile(r"^Invalid enum value (?P<found>.+)$")
_PATTERN = re.compile(r"^Expected `str` matching regex '(?P<pattern>.*)'$")


def describe(message: str, *, allowed: Sequence[str] = ()) -> tuple[str | None, str | None]:
    """What was expected and what was found; ``allowed`` are the values of an enumeration, if it is one."""
    if (enum := _ENUM.match(message)) is not None:
        return ", ".join(allowed) or None, enum["found"]
    if (pattern := _PATTERN.match(message)) is not None:
        return f"text like {pattern['pattern']}", None
    got = _GOT.match(message)
    expected = got["expected"] if got else message
    return _in_words(expected.removeprefix("Expected ")), _in_words(got["found"]) if got else None


def _in_words(text: str) -> str:
    return _TYPES.sub(lambda match: " or ".join(_WORDS.get(each, each) for each in match[1].split(" | ")), text)
