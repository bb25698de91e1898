"""Operators whose answer in a column depends on that column of their inputs: arithmetic, comparisons, casts.

A tensor of one column, or a constant of one value, meets every column of the others. Arithmetic of floats is done and
stored as float, that of integers wraps around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mintage.model.compile.c.unit import C_TYPES, Unit, refused, width
from mintage.model.program import Node

__all__ = ["ELEMENTWISE", "write_elementwise"]

_SIGNS: Mapping[str, str] = {
    "Equal": "==",
    "Greater": ">",
    "GreaterOrEqual": ">=",
    "Less": "<",
    "LessOrEqual": "<=",
    "And": "&&",
    "Or": "||",
    "Add": "+",
    "Sub": "-",
    "Mul": "*",
    "Div": "/",
}
_WRAPPING = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide"}
_OF_LIBM = {"Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Tanh": "tanh", "Floor": "floor", "Ceil": "ceil"}
_FLOATS = ("double", "float")
_INTS = ("int64", "int32")


def write_elementwise(unit: Unit, node: Node) -> None:
    """Write one of ``ELEMENTWISE``; raises GraphRefusedError for types that it is not defined for here."""
    for tensor in node.inputs:
        if tensor.array is not None and tensor.array.size not in (1, width(node.output)):
            raise refused(node, f"a constant of shape {list(tensor.array.shape)}")
        if tensor.array is None and width(tensor) not in (1, width(node.output)):
            raise refused(node, f"{width(tensor)} columns beside {width(node.output)}")
    write = ELEMENTWISE[node.operator]
    unit.assign(node.output, lambda at: write(unit, node, [unit.element(tensor, at) for tensor in node.inputs]))


def _binary(unit: Unit, node: Node, parts: list[str]) -> str:
    kind = node.inputs[0].type
    sign = _SIGNS[node.operator]
    if kind == "string" and node.operator == "Equal":
        return f"strcmp({parts[0]}, {parts[1]}) == 0"
    wraps = node.operator in _WRAPPING
    if kind in _FLOATS or (not wraps and kind != "string"):
        return f"{parts[0]} {sign} {parts[1]}"
    if kind not in _INTS:
        raise refused(node, kind)
    return f"{unit.helper(f'{_WRAPPING[node.operator]}_{kind}')}({parts[0]}, {parts[1]})"


def _most(unit: Unit, node: Node, parts: list[str]) -> str:
    kind, name = node.output.type, "greater" if node.operator == "Max" else "smaller"
    if kind not in _FLOATS:
        raise refused(node, kind)
    found = parts[0]
    for part in parts[1:]:
        found = f"{unit.helper(f'{name}_{kind}')}({found}, {part})"
    return found


def _power(unit: Unit, node: Node, parts: list[str]) -> str:
    """By one constant 2 or 3 onnxruntime multiplies; else it calls pow."""
    base, exponent = node.inputs
    if exponent.array is not None and exponent.array.size == 1 and exponent.array.item() in (2, 3):
        times = int(exponent.array.item())
        if base.type in _FLOATS:
            return " * ".join(parts[:1] * times)
        multiply = unit.helper(f"multiply_{base.type}")
        square = f"{multiply}({parts[0]}, {parts[0]})"
        return square if times == 2 else f"{multiply}({square}, {parts[0]})"
    if base.type == exponent.type == "float":
        return f"powf({parts[0]}, {parts[1]})"
    found = f"pow((double){parts[0]}, (double){parts[1]})"
    if base.type in _INTS:
        return f"{unit.helper(f'to_{base.type}')}({found})"
    return f"(float){found}" if base.type == "float" else found


def _where(unit: Unit, node: Node, parts: list[str]) -> str:
    return f"{parts[0]} ? {parts[1]} : {parts[2]}"


def _is_nan(unit: Unit, node: Node, parts: list[str]) -> str:
    return f"{parts[0]} != {parts[0]}"


def _is_infinite(unit: Unit, node: Node, parts: list[str]) -> str:
    ends = [
        f"{parts[0]} == {end}"
        for name, end in (("detect_positive", "INFINITY"), ("detect_negative", "-INFINITY"))
        if node.attributes.get(name, 1)
    ]
    return " || ".join(ends) or "false"


def _unary(unit: Unit, node: Node, parts: list[str]) -> str:
    kind, operator = node.output.type, node.operator
    if operator == "Not":
        return f"!{parts[0]}"
    if kind in _INTS and operator in ("Neg", "Abs"):
        negative = f"{unit.helper(f'subtract_{kind}')}(0, {parts[0]})"
        return negative if operator == "Neg" else f"{parts[0]} < 0 ? {negative} : {parts[0]}"
    if kind not in _FLOATS:
        raise refused(node, kind)
    if operator == "Neg":
        return f"-{parts[0]}"
    if operator == "Sigmoid":
        return f"{unit.helper(f'logistic_{kind}')}({parts[0]})"
    name = "fabs" if operator == "Abs" else _OF_LIBM[operator]
    return f"{name}{'f' if kind == 'float' else ''}({parts[0]})"


def _cast(unit: Unit, node: Node, parts: list[str]) -> str:
    before, after = node.inputs[0].type, node.output.type
    if before == after:
        return parts[0]
    if "string" in (before, after):
        raise refused(node, f"from {before} to {after}")
    if after == "bool":
        return f"{parts[0]} != 0"
    if before in _FLOATS and after in (*_INTS, "uint8"):
        found = f"{unit.helper('to_int32' if after == 'uint8' else f'to_{after}')}({parts[0]})"
        return f"(uint8_t){found}" if after == "uint8" else found
    return f"({C_TYPES[after]}){parts[0]}"


ELEMENTWISE: Mapping[str, Callable[[Unit, Node, list[str]], str]] = {
    **dict.fromkeys(_SIGNS, _binary),
    **dict.fromkeys(("Max", "Min"), _most),
    **dict.fromkeys(("Abs", "Neg", "Not", "Sigmoid", *_OF_LIBM), _unary),
    "Cast": _cast,
    "IsInf": _is_infinite,
    "IsNaN": _is_nan,
    "Pow": _power,
    "Where": _where,
}
"""By operator: the expression for one column, from those of its inputs."""
