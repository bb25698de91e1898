"""Operators that move columns or fold them into one: Concat, Gather, MatMul, reductions, ArgMax, Squeeze, Expand.

Sums are made column by column, from the first; onnxruntime adds several at a time, so the two may differ in the last
bit. A reduction passes NaN over while it has met a number; ArgMax gives the first of equal values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mintage.model.compile.c.unit import C_TYPES, Unit, refused, width
from mintage.model.program import Node, Tensor

__all__ = ["COLUMNS"]


def _concat(unit: Unit, node: Node) -> None:
    if node.attributes.get("axis") not in (1, -1):
        raise refused(node, f"axis {node.attributes.get('axis')}")
    if any(tensor.array is not None and tensor.array.size != width(tensor) for tensor in node.inputs):
        raise refused(node, "a constant of several rows")
    if width(node.output) == 1:
        unit.assign(node.output, lambda at: unit.element(node.inputs[0], at))
        return
    name = unit.declare(node.output)
    place = 0
    for tensor in node.inputs:
        if width(tensor) == 1:
            unit.line(f"{name}[{place}] = {unit.element(tensor, '0')};")
        else:
            value = unit.element(tensor, "j")
            unit.line(f"for (int32_t j = 0; j < {width(tensor)}; j++)", f"    {name}[{place} + j] = {value};")
        place += width(tensor)


def _gather(unit: Unit, node: Node) -> None:
    values, places = node.inputs
    axis = node.attributes.get("axis", 0)
    if axis in (1, -1) and places.array is not None and values.array is None:
        columns = _within(node, places.array, width(values))
        if width(node.output) == 1:
            unit.assign(node.output, lambda at: unit.element(values, str(columns.item())))
            return
        table = unit.table(columns, "int32")
        unit.assign(node.output, lambda at: unit.element(values, f"{table}[{at}]"))
    elif axis == 0 and values.array is not None and values.array.ndim == 1 and places.array is None:
        _look_up(unit, node)
    else:
        raise refused(node, f"axis {axis} of {'a constant' if values.array is not None else 'a tensor'}")


def _look_up(unit: Unit, node: Node) -> None:
    """Rows of a constant table by computed places, which may count from its end; one outside ends the prediction."""
    values, places = node.inputs
    assert values.array is not None
    count = len(values.array)
    name = unit.declare(node.output)
    several = width(node.output) > 1
    at = unit.element(places, "j")
    unit.line(f"for (int32_t j = 0; j < {width(node.output)}; j++) {{" if several else "{")
    unit.line(
        f"    const int64_t place = {at} < 0 ? {at} + {count} : {at};",
        f"    if (place < 0 || place >= {count})",
        f"        return {unit.failure};",
        f"    {name}{'[j]' if several else ''} = {unit.element(values, 'place')};",
        "}",
    )


def _within(node: Node, places: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    found = np.where(places < 0, places + count, places).reshape(-1)
    if len(found) == 0 or found.min() < 0 or found.max() >= count:
        raise refused(node, "a place that is not there")
    return found


def _multiply(unit: Unit, node: Node) -> None:
    left, right = node.inputs
    kind = node.output.type
    if left.array is not None or right.array is None or right.array.ndim != 2 or kind not in ("double", "float"):
        raise refused(node, f"{kind}, and not rows by a constant matrix")
    inner, outer = right.array.shape
    if width(left) != inner:
        raise refused(node, f"{width(left)} columns by a matrix of {inner} rows")
    type_, weights = C_TYPES[kind], unit.table(right.array, kind)
    name = unit.declare(node.output)
    several = outer > 1
    place = f"k * {outer} + j" if several else "k"
    unit.line(f"for (int32_t j = 0; j < {outer}; j++) {{" if several else "{")
    unit.line(
        f"    {type_} sum = 0;",
        f"    for (int32_t k = 0; k < {inner}; k++)",
        f"        sum += {unit.element(left, 'k')} * {weights}[{place}];",
        f"    {name}{'[j]' if several else ''} = sum;",
        "}",
    )


def _reduce(unit: Unit, node: Node) -> None:
    values = node.inputs[0]
    _over_columns(node)
    kind = values.type
    if kind not in ("double", "float", "int64", "int32"):
        raise refused(node, kind)
    name = unit.declare(node.output)
    item = unit.element(values, "j")
    unit.line(f"{name} = {unit.element(values, '0')};", f"for (int32_t j = 1; j < {width(values)}; j++)")
    if node.operator != "ReduceSum":
        sign = ">" if node.operator == "ReduceMax" else "<"
        or_first = f" || {name} != {name}" if kind in ("double", "float") else ""
        unit.line(f"    if ({item} {sign} {name}{or_first})", f"        {name} = {item};")
    elif kind in ("double", "float"):
        unit.line(f"    {name} += {item};")
    else:
        unit.line(f"    {name} = {unit.helper(f'add_{kind}')}({name}, {item});")


def _place_of_most(unit: Unit, node: Node) -> None:
    values = node.inputs[0]
    if node.attributes.get("axis", 0) not in (1, -1):
        raise refused(node, f"axis {node.attributes.get('axis', 0)}")
    sign = ">=" if node.attributes.get("select_last_index", 0) else ">"
    name = unit.declare(node.output)
    unit.line(
        f"{name} = 0;",
        f"for (int32_t j = 1; j < {width(values)}; j++)",
        f"    if ({unit.element(values, 'j')} {sign} {unit.element(values, name)})",
        f"        {name} = j;",
    )


def _squeeze(unit: Unit, node: Node) -> None:
    if width(node.inputs[0]) != 1:
        raise refused(node, f"{width(node.inputs[0])} columns")
    unit.alias(node.output, node.inputs[0])


def _expand(unit: Unit, node: Node) -> None:
    """To as many rows as there are: one row has nothing to repeat."""
    if node.inputs[1].array is not None:
        raise refused(node, "a constant shape")
    values = node.inputs[0]
    if values.array is not None and values.array.size != width(values):
        raise refused(node, f"a constant of shape {list(values.array.shape)}")
    unit.alias(node.output, values)


def _over_columns(node: Node) -> None:
    axes: Tensor | None = node.inputs[1] if len(node.inputs) > 1 else None
    found = None if axes is None or axes.array is None else axes.array.reshape(-1).tolist()
    if found not in ([1], [-1]) or node.inputs[0].array is not None:
        raise refused(node, f"axes {found}")


COLUMNS: Mapping[str, Callable[[Unit, Node], None]] = {
    "ArgMax": _place_of_most,
    "Concat": _concat,
    "Expand": _expand,
    "Gather": _gather,
    "Identity": lambda unit, node: unit.alias(node.output, node.inputs[0]),
    "MatMul": _multiply,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
    "ReduceSum": _reduce,
    "Squeeze": _squeeze,
}
"""By operator: what writes it to the body."""
