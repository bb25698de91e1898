"""Write other lists under keys that a stage of mintage.yaml has; comments around them, order and the rest stay. Pure.

>>> text = "project: p\\nstages:\\n  a:\\n    run: python a.py\\n    in: [x.csv]  # why\\n"
>>> print(replace_keys(text, "a", {"in": ("x.csv", "y.csv")}))
project: p
stages:
  a:
    run: python a.py
    in: [x.csv, y.csv]  # why
<BLANKLINE>
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from mintage.errors import FileMalformedError
from mintage.pipeline.recording.insert import child_of, flow_of, key_lines, quoted, values_of
from mintage.repo.workspace import PROJECT_FILE

__all__ = ["replace_keys"]


def replace_keys(text: str, stage: str, keys: Mapping[str, Sequence[str]]) -> str:
    """``text`` with the lists of ``keys`` in place of those of the stage; raises FileMalformedError with the lines to
    write by hand where that cannot be done in place."""
    made = _replaced(text, stage, keys)
    wanted = values_of(text)
    wanted["stages"][stage] |= {name: list(paths) for name, paths in keys.items()}
    try:
        fits = values_of(made) == wanted
    except FileMalformedError:  # another stage stands on these lines too
        fits = False
    if not fits:
        raise FileMalformedError(
            f"the stage {stage} cannot be changed in place",
            where=PROJECT_FILE,
            hint="write these lines under it: " + "; ".join(key_lines(keys, indent="")),
        )
    return made


def _replaced(text: str, stage: str, keys: Mapping[str, Sequence[str]]) -> str:
    node = child_of(child_of(yaml.compose(text, Loader=yaml.SafeLoader), "stages"), stage)
    for name in sorted(keys, key=lambda name: -_start(node, name)):
        value = child_of(node, name)
        if not isinstance(value, yaml.SequenceNode):
            continue
        start, end = value.start_mark.index, value.end_mark.index
        new = flow_of(keys[name])
        if not value.flow_style and value.value:
            end = value.value[-1].end_mark.index
            items = [f"- {quoted(path)}" for path in keys[name]]
            new = ("\n" + " " * value.start_mark.column).join(items) or "[]"
        text = text[:start] + new + text[end:]
    return text


def _start(node: Any, name: str) -> int:
    value = child_of(node, name)
    return value.start_mark.index if value is not None else -1
