"""``${...}`` in a dvc.yaml: values of params.yaml and ``vars`` put in place. Pure.

A text that is one ``${...}`` takes the value as it is; within a text its words are put in; a mapping within ``cmd``
becomes arguments. ``\\${`` stays ``${``.

>>> fill("train --depth ${tree.depth}", {"tree": {"depth": 3}}, where="dvc.yaml")
'train --depth 3'
>>> fill("${tree}", {"tree": {"depth": 3, "fast": True}}, where="dvc.yaml", command=True)
'--depth 3 --fast'
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from mintage.errors import FileMalformedError, UnknownNameError

__all__ = ["fill", "find_value", "merge", "value_text"]

_HOLE = re.compile(r"(?<!\\)\$\{\s*(?P<name>[^{}]*?)\s*\}")
_STEP = re.compile(r"[^.\[\]]+")


def fill(value: Any, values: Mapping[str, Any], *, where: str, command: bool = False) -> Any:
    """``value`` with every ``${...}`` in its texts replaced; raises UnknownNameError for a name that is not there."""
    if isinstance(value, dict):
        return {
            str(fill(key, values, where=where)): fill(item, values, where=where, command=command or key == "cmd")
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [fill(item, values, where=where, command=command) for item in value]
    if not isinstance(value, str):
        return value
    whole = _HOLE.fullmatch(value)
    if whole:
        found = find_value(values, whole["name"], where=where)
        if not (command and isinstance(found, dict)):
            return found
    text = _HOLE.sub(lambda hole: _within(find_value(values, hole["name"], where=where), hole, command, where), value)
    return text.replace("\\${", "${")


def find_value(values: Mapping[str, Any], name: str, *, where: str) -> Any:
    """The value at ``a.b[0]``."""
    here: Any = values
    for step in _STEP.findall(name):
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        else:
            raise UnknownNameError(
                f"${{{name}}} is not there",
                expected=", ".join(map(str, here))[:200] if isinstance(here, Mapping) else "a value of that name",
                where=where,
                hint="`vars` of dvc.yaml and params.yaml say what can be put in",
            )
    return here


def value_text(value: Any) -> str:
    """A single value as DVC writes it into a text and into a stage's name."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add ``more`` to ``into``, mappings into mappings."""
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _within(value: Any, hole: re.Match[str], command: bool, where: str) -> str:
    if isinstance(value, Mapping) and command:
        return " ".join(_arguments(value, ""))
    if isinstance(value, Mapping | list):
        raise FileMalformedError(
            f"{hole[0]} is not a single value", expected="a text, a number or a truth value", where=where
        )
    return value_text(value)


def _arguments(values: Mapping[str, Any], prefix: str) -> list[str]:
    found: list[str] = []
    for key, value in values.items():
        option = f"--{prefix}{key}"
        if isinstance(value, Mapping):
            found += _arguments(value, f"{prefix}{key}.")
        elif isinstance(value, bool):
            found += [option] if value else []
        elif isinstance(value, list):
            found += [option, *(shlex.quote(item) if isinstance(item, str) else str(item) for item in value)]
        else:
            found += [option, shlex.quote(value) if isinstance(value, str) else str(value)]
    return found
