"""Write models into the text of mintage.yaml; comments, order and everything else stay. Pure.

>>> print(insert_models("project: p\\nstages: {}\\n# ours\\n", {"p": "model.joblib"}))
project: p
stages: {}
# ours
models:
  p: {from: model.joblib}
<BLANKLINE>
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from mintage.pipeline.recording.insert import child_of, quoted

__all__ = ["insert_models", "model_entry"]


def model_entry(name: str, path: str) -> str:
    """The line of one model.

    >>> model_entry("churn", "out/my model.pkl")
    'churn: {from: "out/my model.pkl"}'
    """
    return f"{quoted(name)}: {{from: {quoted(path)}}}"


def insert_models(text: str, models: Mapping[str, str]) -> str | None:
    """``text`` with an entry for each of ``models``, a path by name; None where they cannot be written in place."""
    lines = [model_entry(name, path) for name, path in models.items()]
    made = _insert(text, lines, newline="\r\n" if "\r\n" in text else "\n")
    if made is None:
        return None
    wanted = yaml.safe_load(text)
    wanted["models"] = (wanted.get("models") or {}) | {name: {"from": path} for name, path in models.items()}
    return made if yaml.safe_load(made) == wanted else None


def _insert(text: str, lines: list[str], *, newline: str) -> str | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    key = next((key for key, _ in root.value if key.value == "models"), None)
    node = child_of(root, "models")
    if key is None:
        block = newline.join(["models:", *(f"  {line}" for line in lines)]) + newline
        return text + ("" if text.endswith("\n") else newline) + block
    if isinstance(node, yaml.MappingNode) and node.flow_style:
        end = node.end_mark.index - 1
        return text[:end] + (", " if node.value else "") + ", ".join(lines) + text[end:]
    if isinstance(node, yaml.MappingNode):
        indent = " " * node.value[0][0].start_mark.column
        return _after_line(text, _leaf(node).end_mark.index, [indent + line for line in lines], newline)
    empty = isinstance(node, yaml.ScalarNode) and node.value == ""
    return _after_line(text, key.end_mark.index, [f"  {line}" for line in lines], newline) if empty else None


def _leaf(node: yaml.Node) -> yaml.Node:
    """The last part of a block; a block itself ends only where the next begins, behind comments that are not its."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return node


def _after_line(text: str, place: int, lines: list[str], newline: str) -> str:
    """``lines`` behind the line that has ``place``."""
    block = newline.join(lines) + newline
    stop = text.find("\n", place)
    return text + newline + block if stop < 0 else text[: stop + 1] + block + text[stop + 1 :]
