"""Operators that move columns, look values up or fold columns into one: Concat, Gather, MatMul, reductions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mintage.model.compile.sql.arithmetic import Arithmetic
from mintage.model.compile.sql.cell import Cell, constant, either
from mintage.model.compile.sql.lookup import look_up
from mintage.model.compile.sql.operators import INTEGERS, refuse
from mintage.model.compile.sql.sums import weighted_sum
from mintage.model.compile.sql.trees import write_trees
from mintage.model.program import Node, Tensor

__all__ = ["COLUMNS"]

Inputs = list[list[Cell]]


def _concat(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    if node.attributes.get("axis") not in (1, -1):
        raise refuse(node, f"axis {node.attributes.get('axis')}")
    return [cell for cells in inputs for cell in cells]


def _gather(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    values, places = node.inputs
    axis = node.attributes.get("axis", 0)
    if axis in (1, -1) and places.array is not None:
        found = places.array.reshape(-1).tolist()
        if any(not -len(inputs[0]) <= place < len(inputs[0]) for place in found):
            raise refuse(node, "a column that is not there")
        return [inputs[0][place] for place in found]
    if axis != 0 or values.array is None or values.array.ndim != 1 or places.array is not None:
        raise refuse(node, f"axis {axis}")
    table = [constant(value, values.type, math_.dialect) for value in values.array.tolist()]
    made = []
    for cell in map(math_.steps.column, inputs[1]):
        every = list(enumerate(table))
        if cell.negative:  # a place below 0 counts from the end
            every = [(place - len(table), value) for place, value in every] + every
        keys = [constant(place, "int64", math_.dialect).sql for place, _ in every]
        default = constant(np.nan, "double", math_.dialect)
        made.append(_table(math_, cell, keys, [value for _, value in every], default))
    return made


def _table(math_: Arithmetic, cell: Cell, keys: list[str], values: list[Cell], default: Cell) -> Cell:
    sql = look_up(cell.sql, keys, [value.sql for value in values], default=default.sql)
    depth = 2 + len(keys).bit_length()
    known = either([*values, default])
    return replace(math_.make(sql, [cell]), type=values[0].type if values else default.type, **known, depth=depth)


def _label_encoder(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    values = node.attributes["values_tensor"].tolist()
    keys = node.attributes.get("keys_strings")
    if keys is None:
        keys = node.attributes["keys_tensor"].tolist()
    elif math_.dialect == "postgresql":
        values = [value for key, value in zip(keys, values, strict=True) if "\0" not in key]  # its texts hold none
        keys = [key for key in keys if "\0" not in key]
    table = dict(zip(reversed(keys), reversed(values), strict=True))  # of equal keys the first counts
    table = {key: table[key] for key in sorted(key for key in table if key == key)}  # noqa: PLR0124 NaN
    kind = node.inputs[0].type
    spelled = [constant(key, kind, math_.dialect).sql for key in table]
    found = [constant(value, node.output.type, math_.dialect) for value in table.values()]
    default = constant(node.attributes["default_tensor"].tolist()[0], node.output.type, math_.dialect)
    cells = [math_.steps.column(cell) for cell in inputs[0]]
    made = [_table(math_, cell, spelled, found, default) for cell in cells]
    nan = next((value for key, value in zip(keys, values, strict=True) if key != key), None)  # noqa: PLR0124
    if nan is None:
        return made
    missing = constant(nan, node.output.type, math_.dialect)
    return [_of_missing(math_, cell, missing, found) for cell, found in zip(cells, made, strict=True)]


def _of_missing(math_: Arithmetic, cell: Cell, missing: Cell, found: Cell) -> Cell:
    made = math_.make(f"CASE WHEN {cell.sql} IS NULL THEN {missing.sql} ELSE {found.sql} END", [cell, found])
    return replace(made, type=found.type, **either([missing, found]))


def _multiply(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    matrix = node.inputs[1].array
    if matrix is None or matrix.ndim != 2 or node.inputs[0].array is not None or len(matrix) != len(inputs[0]):
        raise refuse(node, "not rows by a constant matrix")
    if node.output.type not in ("double", "float"):
        raise refuse(node, node.output.type)
    cells = [_double(math_, cell) for cell in inputs[0]]
    if matrix.shape[1] > 1:
        cells = [cell if cell.choice else math_.steps.column(cell) for cell in cells]
    sums = [weighted_sum(math_, cells, column) for column in matrix.T.astype(np.float64).tolist()]
    return [math_.to_real(found) if node.output.type == "float" else found for found in sums]


def _double(math_: Arithmetic, cell: Cell) -> Cell:
    return math_.to_double(cell) if cell.type == "float" else cell


def _reduce(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    axes: Tensor | None = node.inputs[1] if len(node.inputs) > 1 else None
    found = None if axes is None or axes.array is None else axes.array.reshape(-1).tolist()
    if found not in ([1], [-1]) or node.inputs[0].array is not None:
        raise refuse(node, f"axes {found}")
    cells, kind = inputs[0], node.output.type
    if node.operator == "ReduceSum" and kind not in INTEGERS:
        total = weighted_sum(math_, [_double(math_, cell) for cell in cells], [1.0] * len(cells))
        return [math_.to_real(total) if kind == "float" else total]
    if node.operator == "ReduceSum":
        joined = " + ".join(cell.sql for cell in cells)
        return [replace(math_.make(f"({joined})", cells, grain=1.0), type=kind)]
    return [_extreme(math_, cells, "greatest" if node.operator == "ReduceMax" else "least")]


def _extreme(math_: Arithmetic, cells: list[Cell], name: str) -> Cell:
    """NaN is passed over, unless all are; what onnxruntime does with it depends on the row's place."""
    sql = f"{name}({', '.join(cell.sql for cell in cells)})"
    known = {**either(cells), "null": all(cell.null for cell in cells)}
    return replace(math_.make(sql, cells), type=cells[0].type, **known)


def _place_of_most(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    """The first of the greatest; NaN is the greatest if it comes first, else passed over, as in onnxruntime."""
    if node.attributes.get("axis", 0) not in (1, -1):
        raise refuse(node, f"axis {node.attributes.get('axis', 0)}")
    cells = [math_.steps.column(cell) for cell in inputs[0]]
    order = list(enumerate(cells))
    if node.attributes.get("select_last_index", 0):
        order.reverse()
    most = math_.steps.column(_extreme(math_, cells, "greatest"))
    spelled = [constant(place, "int64", math_.dialect).sql for place, _ in order]
    cases = " ".join(f"WHEN {cell.sql} = {most.sql} THEN {at}" for at, (_, cell) in zip(spelled, order, strict=True))
    nan = constant(0, "int64", math_.dialect).sql
    if cells[0].null:
        cases = f"WHEN {cells[0].sql} IS NULL THEN {nan} {cases}"
    found = math_.make(f"CASE {cases} ELSE {nan} END", [*cells, most], big=float(len(cells)), grain=1.0)
    return [replace(found, type="int64", null=False)]


def _same(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    return inputs[0]


def _squeeze(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    if len(inputs[0]) != 1:
        raise refuse(node, f"{len(inputs[0])} columns")
    return inputs[0]


def _expand(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    """To as many rows as there are: one row has nothing to repeat."""
    if node.inputs[1].array is not None:
        raise refuse(node, "a constant shape")
    return inputs[0]


def _ensemble(math_: Arithmetic, node: Node, inputs: Inputs) -> list[Cell]:
    return write_trees(math_, node, inputs[0])


COLUMNS: Mapping[str, Callable[[Arithmetic, Node, Any], list[Cell]]] = {
    "ArgMax": _place_of_most,
    "Concat": _concat,
    "Expand": _expand,
    "Gather": _gather,
    "Identity": _same,
    "LabelEncoder": _label_encoder,
    "MatMul": _multiply,
    **dict.fromkeys(("ReduceMax", "ReduceMin", "ReduceSum"), _reduce),
    "Squeeze": _squeeze,
    "TreeEnsemble": _ensemble,
}
"""By operator: all columns of its output."""
