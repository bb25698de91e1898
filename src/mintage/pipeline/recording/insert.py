"""Write keys of a stage into the text of mintage.yaml; comments, order and everything else stay. Pure.

>>> text = "project: p\\nstages:\\n  a:\\n    run: python a.py  # why\\n"
>>> print(insert_keys(text, "a", {"in": ("x.csv",), "out": ("m",)}))
project: p
stages:
  a:
    run: python a.py  # why
    in: [x.csv]
    out: [m]
<BLANKLINE>
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import yaml

from mintage.errors import FileMalformedError
from mintage.repo.project import parse_project
from mintage.repo.workspace import PROJECT_FILE

__all__ = ["Written", "as_json", "child_of", "flow_of", "insert_keys", "key_lines", "quoted", "values_of"]

Written = Sequence[str] | Mapping[str, int | float | str]
"""What a key holds: a list of paths, or named values."""

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*$")
_WIDTH = 110


def insert_keys(text: str, stage: str, keys: Mapping[str, Written]) -> str:
    """``text`` with ``keys`` after the stage's ``run``; raises FileMalformedError with the lines to write by hand
    where that cannot be done in place."""
    made = _insert(text, stage, keys)
    wanted = values_of(text)
    wanted["stages"][stage] |= {name: as_json(value) for name, value in keys.items()}
    if made is None or values_of(made) != wanted:
        raise FileMalformedError(
            f"the stage {stage} cannot be extended in place",
            where=PROJECT_FILE,
            hint="write these lines under it: " + "; ".join(key_lines(keys, indent="")),
        )
    return made


def key_lines(keys: Mapping[str, Written], *, indent: str, width: int | None = _WIDTH) -> list[str]:
    """The lines of a block for ``keys``; what is wider than ``width`` has a line an entry."""
    lines = []
    for name, value in keys.items():
        line = f"{indent}{name}: {flow_of(value)}"
        if width is None or len(line) <= width:
            lines.append(line)
        else:
            lines += [f"{indent}{name}:", *(f"{indent}  {entry}" for entry in _entries(value))]
    return lines


def _insert(text: str, stage: str, keys: Mapping[str, Written]) -> str | None:
    stages = child_of(yaml.compose(text, Loader=yaml.SafeLoader), "stages")
    node = child_of(stages, stage)
    pair = next(((key, value) for key, value in getattr(node, "value", ()) if key.value == "run"), None)
    if pair is None or any(key.value in keys for key, _ in node.value):
        return None
    if sum(other is node for _, other in stages.value) > 1:  # an alias: two stages in one text
        return None
    key, value = pair
    end = value.end_mark.index
    if node.flow_style:
        return text[:end] + "".join(f", {name}: {flow_of(paths)}" for name, paths in keys.items()) + text[end:]
    newline = "\r\n" if "\r\n" in text else "\n"
    block = newline.join(key_lines(keys, indent=" " * key.start_mark.column)) + newline
    if value.style in ("|", ">"):  # such a text ends where the next line begins
        return text[:end] + block + text[end:]
    line_end = text.find("\n", end)
    if line_end < 0:
        return text + newline + block
    return text[: line_end + 1] + block + text[line_end + 1 :]


def child_of(node: Any, name: str) -> Any:
    """The value under ``name`` of a YAML mapping; None if there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def values_of(text: str) -> Any:
    """What a mintage.yaml says, as plain values."""
    return msgspec.json.decode(msgspec.json.encode(parse_project(text.encode(), where=PROJECT_FILE, allow_unmade=True)))


def as_json(value: Written) -> Any:
    """What a key holds, as a plain list or mapping."""
    return dict(value) if isinstance(value, Mapping) else list(value)


def flow_of(value: Written) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(_entries(value)) + "}"
    return f"[{', '.join(map(quoted, value))}]"


def _entries(value: Written) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{quoted(name)}: {_scalar(item)}" for name, item in value.items()]
    return [f"- {quoted(path)}" for path in value]


def _scalar(value: int | float | str) -> str:
    """A value as YAML reads it back; its numbers need a point before an exponent.

    >>> _scalar(1e-05), _scalar(3), _scalar("gini"), _scalar("3")
    ('1.0e-05', '3', 'gini', '"3"')
    """
    if isinstance(value, str):
        return quoted(value)
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def quoted(path: str) -> str:
    """A text as YAML reads it back: plain where it cannot be taken for something else."""
    plain = _PLAIN.match(path) and yaml.safe_load(path) == path
    return path if plain else msgspec.json.encode(path).decode()
