"""One C file under construction: its tables, the functions that it needs, and the body that answers one row.

A tensor of one column is a scalar, ``t5``; a wider one an array. A constant of one value stands where it is used, a
longer one is a table. What a tensor's variable is called is known to ``Unit`` alone: operators ask for an element or
for a pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mintage.errors import GraphRefusedError
from mintage.model.compile.c.literal import encode, number, rows, text, text_table
from mintage.model.program import Node, Tensor

__all__ = ["C_TYPES", "Unit", "refused", "width"]

C_TYPES: Mapping[str, str] = {
    "double": "double",
    "float": "float",
    "int64": "int64_t",
    "int32": "int32_t",
    "uint8": "uint8_t",
    "bool": "bool",
    "string": "const char *",
}


def width(tensor: Tensor) -> int:
    """The columns of a tensor; those of a vector are one."""
    return 1 if tensor.width is None else tensor.width


def refused(node: Node, found: str) -> GraphRefusedError:
    """The error for a node that C code cannot be written for."""
    return GraphRefusedError(
        f"the operator {node.operator} in a form that has no translation to C",
        found=found,
        where=node.output.name,
        hint="such a model runs on onnxruntime: export it to onnx, wasm or docker",
    )


class Unit:
    """The file; ``failure`` is what the body returns when a table is asked for a place that it does not have."""

    def __init__(self, *, failure: str) -> None:
        self.failure = failure
        self.tables: list[str] = []
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        self._names: dict[str, str] = {}
        self._constants: dict[str, str] = {}
        self._vectors: set[str] = set()
        self._variables = 0

    def helper(self, name: str) -> str:
        """The name of a helper, which the file will have."""
        self.helpers.add(name)
        return name

    def line(self, *lines: str) -> None:
        """More lines of the body."""
        self.lines.extend("    " + line for line in lines)

    def fresh(self, stem: str) -> str:
        """A name for a table or a function that no other has."""
        return f"{stem}{len(self.tables)}"

    def bind(self, tensor: Tensor, expression: str) -> None:
        """The tensor is what is already there."""
        self._names[tensor.name] = expression

    def alias(self, tensor: Tensor, other: Tensor) -> None:
        """The tensor is another one under a second name."""
        if other.array is not None:
            self.assign(tensor, lambda at: self.element(other, at))
            return
        self._names[tensor.name] = self._names[other.name]
        if other.name in self._vectors:
            self._vectors.add(tensor.name)

    def _variable(self, tensor: Tensor) -> str:
        """A name for a variable that has the tensor from now on."""
        name = self._names[tensor.name] = f"t{self._variables}"
        self._variables += 1
        return name

    def declare(self, tensor: Tensor) -> str:
        """Declare a variable for the tensor, without values."""
        name = self._variable(tensor)
        type_ = C_TYPES[tensor.type]
        gap = "" if type_.endswith("*") else " "
        if width(tensor) == 1:
            self.line(f"{type_}{gap}{name};")
        else:
            self._vectors.add(tensor.name)
            self.line(f"{type_}{gap}{name}[{width(tensor)}];")
        return name

    def assign(self, tensor: Tensor, expression: Callable[[str], str]) -> None:
        """Each column of the tensor becomes ``expression(place)``."""
        if width(tensor) == 1:
            found = expression("0")
            name = self._variable(tensor)
            type_ = C_TYPES[tensor.type]
            self.line(f"{type_}const {name} = {found};" if type_.endswith("*") else f"const {type_} {name} = {found};")
            return
        name = self.declare(tensor)
        self.line(f"for (int32_t j = 0; j < {width(tensor)}; j++)", f"    {name}[j] = {expression('j')};")

    def element(self, tensor: Tensor, at: str) -> str:
        """The value of one column; a tensor of one column has it everywhere."""
        if tensor.array is not None:
            return self._of_constant(tensor, tensor.array, at)
        name = self._names[tensor.name]
        return f"{name}[{at}]" if tensor.name in self._vectors else name

    def pointer(self, tensor: Tensor) -> str:
        """Where the values of a tensor of numbers lie."""
        if tensor.array is not None:
            return self.table(tensor.array, tensor.type, tensor.name)
        name = self._names[tensor.name]
        if tensor.name in self._vectors:
            return name
        if not name.isidentifier():
            held = self._variable(tensor)
            self.line(f"const {C_TYPES[tensor.type]} {held} = {name};")
            name = held
        return f"&{name}"

    def table(self, array: np.ndarray[Any, Any], kind: str, key: str | None = None) -> str:
        """A table of constants; the same ``key`` gives the same one."""
        if key is not None and key in self._constants:
            return self._constants[key]
        name = self.fresh("c")
        items = [number(value, kind) for value in array.reshape(-1).tolist()]
        self.tables.append(f"static const {C_TYPES[kind]} {name}[{len(items)}] = {{\n{rows(items)}\n}};\n")
        if key is not None:
            self._constants[key] = name
        return name

    def texts(self, values: Sequence[bytes], key: str | None = None) -> str:
        """A table of encoded texts: ``name_text`` and ``name_at``."""
        if key is not None and key in self._constants:
            return self._constants[key]
        name = self.fresh("c")
        self.tables.append(text_table(name, values))
        if key is not None:
            self._constants[key] = name
        return name

    def _of_constant(self, tensor: Tensor, array: np.ndarray[Any, Any], at: str) -> str:
        if tensor.type == "string":
            plain = [value.decode() if isinstance(value, bytes) else str(value) for value in array.reshape(-1)]
            values = [encode(value) for value in plain]
            if len(values) == 1:
                return text(values[0])
            name = self.texts(values, tensor.name)
            return f"((const char *){name}_text + {name}_at[{at}])"
        if array.size == 1:
            return number(array.reshape(-1)[0].item(), tensor.type)
        return f"{self.table(array, tensor.type, tensor.name)}[{at}]"
