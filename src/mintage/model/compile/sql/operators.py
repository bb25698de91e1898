"""Every operator that a graph may hold, as cells: what it gives for the cells of its inputs, column by column.

A tensor of one column, or a constant of one value, meets every column of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql.arithmetic import Arithmetic
from mintage.model.compile.sql.cell import Cell, Choice, constant, either
from mintage.model.compile.sql.functions import FUNCTIONS, power
from mintage.model.program import Node

__all__ = ["ELEMENTWISE", "INTEGERS", "refuse"]

INTEGERS = ("int64", "int32", "uint8")
_SIGNS = {
    "Equal": "=",
    "Greater": ">",
    "GreaterOrEqual": ">=",
    "Less": "<",
    "LessOrEqual": "<=",
    "And": "AND",
    "Or": "OR",
}
_PLACES = 9.2e18


def refuse(node: Node, what: str) -> GraphRefusedError:
    """The error for a form of an operator that SQL does not have."""
    return GraphRefusedError(
        f"{node.operator} of a form that has no translation to SQL",
        found=what,
        where=node.output.name,
        hint="export the model to c, wasm, onnx or docker",
    )


def _condition(math_: Arithmetic, sql: str, parts: list[Cell]) -> Cell:
    return replace(math_.make(sql, parts), type="bool", null=False)


def _compare(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    left, right = (
        replace(part, sql=f"({part.sql} IS TRUE)") if part.type == "bool" and node.operator == "Equal" else part
        for part in parts
    )
    return _condition(math_, f"({left.sql} {_SIGNS[node.operator]} {right.sql})", parts)


def _not(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    return _condition(math_, f"({parts[0].sql} IS NOT TRUE)", parts)


def _is_nan(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    return _condition(math_, f"({parts[0].sql} IS NULL)", parts)


def _is_infinite(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    ends = [
        end
        for name, end in (("detect_positive", math_.infinity), ("detect_negative", f"-{math_.infinity}"))
        if node.attributes.get(name, 1)
    ]
    return _condition(math_, f"({parts[0].sql} IN ({', '.join(ends)}))" if ends else "FALSE", parts)


def _arithmetic(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    left, right = parts
    if left.type in INTEGERS:
        return _whole(math_, node, left, right)
    match node.operator:
        case "Add":
            return math_.add(left, right)
        case "Sub":
            return math_.add(left, right, "-")
        case "Mul":
            return math_.multiply(left, right)
    return math_.divide(left, right)


def _whole(math_: Arithmetic, node: Node, left: Cell, right: Cell) -> Cell:
    """Integers: a quotient is cut off. Beyond 64 bits the dialects have errors."""
    sign = {"Add": "+", "Sub": "-", "Mul": "*"}.get(node.operator)
    if sign is not None:
        sql = f"({left.sql} {sign} {right.sql})"
    else:
        right = math_.steps.column(right)
        quotient = "//" if math_.dialect == "duckdb" else "/"
        sql = f"CASE WHEN {right.sql} <> 0 THEN {left.sql} {quotient} {right.sql} END"
    return replace(math_.make(sql, [left, right], grain=1.0), type=left.type)


def _most(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    found = parts[0]
    for part in parts[1:]:
        found = math_.steps.fit(math_.smaller(found, part, ">" if node.operator == "Max" else "<"))
    return found


def _power(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    base, exponent = (_as(math_, node, part, "double") for part in parts)
    return _as(math_, node, power(math_, base, exponent), parts[0].type)


def _where(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    condition, yes, no = parts
    if condition.value is not None:
        return yes if condition.value else no
    if condition.sql == f"({no.sql} IS NULL)" and no.type != "bool":
        found = math_.make(f"COALESCE({no.sql}, {yes.sql})", [no, yes])
        return replace(found, type=no.type, **{**either([yes, no]), "null": yes.null})
    sql = f"CASE WHEN {condition.sql} THEN {yes.sql} ELSE {no.sql} END"
    found = replace(math_.make(sql, parts), type=yes.type, **either([yes, no]))
    return found if yes.type in ("string", "bool") else _with_choice(found, condition, yes, no)


def _with_choice(found: Cell, condition: Cell, yes: Cell, no: Cell) -> Cell:
    if yes.value is None or no.value is None or yes.null or no.null:
        return found
    return replace(found, choice=Choice(condition, yes.value, no.value))


def _function(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    cell = parts[0]
    if cell.type in INTEGERS and node.operator in ("Abs", "Neg"):
        name = "abs" if node.operator == "Abs" else "-"
        return replace(math_.make(f"({name}({cell.sql}))", parts, big=cell.big, grain=1.0), type=cell.type)
    if cell.type not in ("double", "float"):
        raise refuse(node, cell.type)
    found = FUNCTIONS[node.operator](math_, _as(math_, node, cell, "double"))
    return _as(math_, node, found, cell.type)


def _cast(math_: Arithmetic, node: Node, parts: list[Cell]) -> Cell:
    return _as(math_, node, parts[0], node.output.type)


def _as(math_: Arithmetic, node: Node, cell: Cell, after: Any) -> Cell:
    """The cell as another type."""
    before = cell.type
    if before == after or (before in INTEGERS and after in ("int64", "int32")):
        return replace(cell, type=after)
    if "string" in (before, after):
        raise refuse(node, f"from {before} to {after}")
    if before in INTEGERS and after == "uint8":
        return replace(math_.make(f"({cell.sql} & 255)", [cell], big=255.0, grain=1.0, negative=False), type=after)
    if before == "bool":
        yes, no = (constant(value, after, math_.dialect) for value in (1, 0))
        return _where(math_, node, [cell, yes, no])
    if after == "bool":
        zero = constant(0, before, math_.dialect)
        return _condition(math_, f"(({cell.sql} <> {zero.sql}) IS NOT FALSE)", [cell])
    if cell.choice is not None and after in ("double", "float"):
        yes, no = (_rounded(value, after, math_) for value in (cell.choice.yes, cell.choice.no))
        return _where(math_, node, [cell.choice.condition, yes, no])
    if before in INTEGERS:
        double = math_.make(f"CAST({cell.sql} AS float8)", [cell], big=cell.big, grain=1.0)
        return math_.to_real(double) if after == "float" else double
    if after == "float":
        return math_.to_real(cell) if cell.value is None else _rounded(cell.value, after, math_)
    if after == "double":
        return math_.to_double(cell)
    return _to_integer(math_, cell, after)


def _rounded(value: float, type_: Any, math_: Arithmetic) -> Cell:
    import numpy as np

    with np.errstate(over="ignore", under="ignore"):
        return constant(float(np.float32(value)) if type_ == "float" else value, type_, math_.dialect)


def _to_integer(math_: Arithmetic, cell: Cell, after: Any) -> Cell:
    """Cut off towards 0. What does not fit has no answer in ONNX, and is NULL here."""
    sql = f"CAST(trunc({cell.sql}) AS bigint)"
    if cell.big > _PLACES:
        cell = math_.steps.column(cell)
        limit = math_.number(_PLACES)
        sql = f"CASE WHEN abs({cell.sql}) <= {limit} THEN CAST(trunc({cell.sql}) AS bigint) END"
    if after == "uint8":
        sql = f"({sql} & 255)"
    known = {"big": min(cell.big, 2.0**63), "grain": 1.0, "negative": cell.negative}
    return replace(math_.make(sql, [cell], **known), type=after, null=cell.null or math.isinf(cell.big))


ELEMENTWISE: Mapping[str, Callable[[Arithmetic, Node, list[Cell]], Cell]] = {
    **dict.fromkeys(_SIGNS, _compare),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _arithmetic),
    **dict.fromkeys(("Max", "Min"), _most),
    **dict.fromkeys(FUNCTIONS, _function),
    "Cast": _cast,
    "IsInf": _is_infinite,
    "IsNaN": _is_nan,
    "Not": _not,
    "Pow": _power,
    "Where": _where,
}
"""By operator: one column of its output from one column of each input."""
