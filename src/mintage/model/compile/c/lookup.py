"""LabelEncoder: sorted keys, found by bisection. Of equal keys the first counts; NaN is a key like any other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mintage.model.compile.c.literal import encode, number
from mintage.model.compile.c.unit import Unit, refused, width
from mintage.model.program import Node

__all__ = ["write_lookup"]


def write_lookup(unit: Unit, node: Node) -> None:
    """Write a LabelEncoder with keys_strings or keys_tensor, and values_tensor."""
    source, kind = node.inputs[0], node.output.type
    values = node.attributes["values_tensor"].reshape(-1).tolist()
    default = node.attributes["default_tensor"].reshape(-1)[0].item()
    first = dict(reversed(list(zip(_keys(node), values, strict=True))))
    table = {key: value for key, value in first.items() if key == key}  # noqa: PLR0124 NaN
    of_nan = next((value for key, value in first.items() if key not in table), default)
    absent = number(default, kind)
    item = unit.element(source, "j")
    if number(of_nan, kind) != absent:
        absent = f"{item} != {item} ? {number(of_nan, kind)} : {absent}"
    if not table:
        unit.assign(node.output, lambda at: absent.replace(item, unit.element(source, at)))
        return
    order = sorted(table)
    search, found = _table(unit, node, order), unit.table(np.array([table[key] for key in order]), kind)
    name = unit.declare(node.output)
    several = width(node.output) > 1
    place = "[j]" if several else ""
    unit.line(f"for (int32_t j = 0; j < {width(node.output)}; j++) {{" if several else "{")
    unit.line(
        f"    const int32_t at = {search}, {len(order)}, {item});",
        "    if (at >= 0)",
        f"        {name}{place} = {found}[at];",
        "    else",
        f"        {name}{place} = {absent};",
        "}",
    )


def _keys(node: Node) -> list[Any]:
    """As the C code compares them: bytes, floats or integers. Zeros are one key, and so are NaNs."""
    found = node.attributes.get("keys_strings")
    if found is None:
        found = node.attributes["keys_tensor"].reshape(-1).tolist()
    if node.inputs[0].type == "string":
        return [encode(key.decode() if isinstance(key, bytes) else key) for key in found]
    if node.inputs[0].type not in ("double", "float", "int64"):
        raise refused(node, f"keys of type {node.inputs[0].type}")
    return [math.nan if key != key else key for key in found]  # noqa: PLR0124 NaN


def _table(unit: Unit, node: Node, order: list[Any]) -> str:
    """The table of the keys, and the beginning of the search in it."""
    kind = node.inputs[0].type
    if kind == "string":
        name = unit.texts(order)
        return f"{unit.helper('find_text')}({name}_text, {name}_at"
    return f"{unit.helper(f'find_{kind}')}({unit.table(np.array(order), kind)}"
