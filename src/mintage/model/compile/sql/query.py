"""Compile a model's graph to one SELECT, for DuckDB or PostgreSQL. See docs/spec/export-sql.md.

A missing value is NULL, inside and outside; a NaN in a table is taken for one. The same model gives the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql.arithmetic import Arithmetic
from mintage.model.compile.sql.cell import Cell, constant
from mintage.model.compile.sql.columns import COLUMNS
from mintage.model.compile.sql.operators import ELEMENTWISE, refuse
from mintage.model.compile.sql.steps import Steps
from mintage.model.compile.sql.text import LONGEST_NAME, Dialect, quote_name, quote_text
from mintage.model.program import Node, Program, Tensor, read_program
from mintage.model.signature import Signature

__all__ = ["compile_row", "compile_sql", "compile_view", "free_name", "output_columns"]

_SHORT = 60


def compile_sql(
    onnx: bytes, signature: Signature, dialect: Dialect, *, table: str, key_columns: Sequence[str] = ()
) -> str:
    """A SELECT over ``table``, which has the input columns: its ``key_columns``, then ``output_columns``.

    Raises GraphRefusedError for a graph, or a name, that the dialect cannot hold.
    """
    return _compile(onnx, signature, dialect, source=quote_name(table), key_columns=key_columns)


def compile_row(onnx: bytes, signature: Signature, dialect: Dialect) -> str:
    """A SELECT of one row, whose inputs are the parameters $1, $2 and so on in the order of the signature."""
    types = {"FP64": "float8", "BYTES": "text"}
    items = [
        f"${place}::{types[item.datatype]} AS {quote_name(item.name)}" for place, item in enumerate(signature.inputs, 1)
    ]
    return _compile(onnx, signature, dialect, source=f"(SELECT {', '.join(items)}) AS row_of_parameters")


def _compile(
    onnx: bytes, signature: Signature, dialect: Dialect, *, source: str, key_columns: Sequence[str] = ()
) -> str:
    names = [name for name, _ in output_columns(signature)]
    _check_names(signature, dialect, [*key_columns, *names])
    program = read_program(onnx)
    math_ = Arithmetic(Steps(), dialect)
    cells = _cells(math_, program, signature)
    outputs = [cell for item in signature.outputs for cell in cells[item.name]]
    return math_.steps.render(
        source=source,
        keys=[quote_name(name) for name in key_columns],
        outputs=[(quote_name(name), cell) for name, cell in zip(names, outputs, strict=True)],
    )


def compile_view(
    onnx: bytes, signature: Signature, dialect: Dialect, *, view: str, table: str, key_columns: Sequence[str] = ()
) -> str:
    """The same as a view over a table."""
    select = compile_sql(onnx, signature, dialect, table=table, key_columns=key_columns)
    return f"CREATE OR REPLACE VIEW {quote_name(view)} AS\n{select};\n"


def output_columns(signature: Signature) -> list[tuple[str, str]]:
    """Names of the columns that the query gives, each with its datatype: ``label``, ``probabilities_0`` and so on."""
    found: list[tuple[str, str]] = []
    for item in signature.outputs:
        width = item.shape[1] if len(item.shape) > 1 else 1
        names = [item.name] if width == 1 else [f"{item.name}_{place}" for place in range(width)]
        found.extend((name, item.datatype) for name in names)
    return found


def free_name(signature: Signature, name: str) -> str:
    """``name``, or that with underscores behind, which no column of the model has."""
    taken = {item.name.lower() for item in signature.inputs} | {found.lower() for found, _ in output_columns(signature)}
    while name.lower() in taken:
        name += "_"
    return name


def _check_names(signature: Signature, dialect: Dialect, others: Sequence[str]) -> None:
    for names in ([item.name for item in signature.inputs], others):
        if dialect == "postgresql":
            long = [name for name in names if len(name.encode()) > LONGEST_NAME]
            if long:
                raise GraphRefusedError(
                    "a name that PostgreSQL cuts off",
                    expected=f"at most {LONGEST_NAME} bytes",
                    found=long[0],
                    hint="rename the column",
                )
        folded = Counter(name if dialect == "postgresql" else name.lower() for name in names)
        twice = [name for name, count in folded.items() if count > 1]
        if twice:
            raise GraphRefusedError(
                "two columns that have one name in SQL", found=twice[0], hint="rename one; DuckDB takes A and a for one"
            )


def _cells(math_: Arithmetic, program: Program, signature: Signature) -> dict[str, list[Cell]]:
    """The cells of every tensor that an output depends on."""
    needed = _needed(program, {item.name for item in signature.outputs})
    uses = Counter(tensor.name for node in program.nodes if node.output.name in needed for tensor in node.inputs)
    cells = {
        tensor.name: [_input(math_, tensor, signature.missing_text)]
        for tensor in program.inputs
        if tensor.name in needed
    }
    for node in program.nodes:
        if node.output.name not in needed or node.operator == "Shape":
            continue
        found = _apply(math_, node, cells)
        often = uses[node.output.name] > 1
        cells[node.output.name] = [_settled(math_, cell, often=often) for cell in found]
    return cells


def _input(math_: Arithmetic, tensor: Tensor, missing: str) -> Cell:
    """A raw column: NaN becomes NULL, NULL of a text the text that stands for it."""
    name = quote_name(tensor.name)
    if tensor.type == "string":
        collation = ' COLLATE "C"' if math_.dialect == "postgresql" else ""
        sql = f"COALESCE(CAST({name} AS text), {quote_text(missing)}){collation}"
        return math_.steps.column(Cell(sql, "string"))
    return math_.steps.column(Cell(f"NULLIF(CAST({name} AS float8), 'NaN'::float8)", "double", null=True))


def _apply(math_: Arithmetic, node: Node, cells: dict[str, list[Cell]]) -> list[Cell]:
    if node.operator == "Expand":
        inputs = [_of(math_, node, node.inputs[0], cells)]
    else:
        inputs = [_of(math_, node, tensor, cells) for tensor in node.inputs]
    if node.operator not in ELEMENTWISE:
        return COLUMNS[node.operator](math_, node, inputs)
    width = max(len(part) for part in inputs)
    if any(len(part) not in (1, width) for part in inputs):
        raise refuse(node, f"{[len(part) for part in inputs]} columns side by side")
    spread = [[_settled(math_, part[0], often=True)] * width if len(part) < width else part for part in inputs]
    apply = ELEMENTWISE[node.operator]
    return [apply(math_, node, list(parts)) for parts in zip(*spread, strict=True)]


def _of(math_: Arithmetic, node: Node, tensor: Tensor, cells: dict[str, list[Cell]]) -> list[Cell]:
    if tensor.array is None:
        if tensor.name not in cells:
            raise refuse(node, "the number of rows as a value")
        return cells[tensor.name]
    array = tensor.array
    if node.operator in ("MatMul", "Gather"):
        return []  # these read the array itself
    if array.ndim > 1 and array.shape[0] != 1:
        raise refuse(node, f"a constant of shape {list(array.shape)}")
    return [constant(value, tensor.type, math_.dialect) for value in np.ravel(array).tolist()]


def _settled(math_: Arithmetic, cell: Cell, *, often: bool) -> Cell:
    """A cell as others use it: a column if it is long, or if it is used more than once and not cheap."""
    if often and len(cell.sql) > _SHORT and cell.choice is None:
        return math_.steps.column(cell)
    return math_.steps.fit(cell)


def _needed(program: Program, outputs: set[str]) -> set[str]:
    needed = set(outputs)
    for node in reversed(program.nodes):
        if node.output.name in needed:
            needed.update(tensor.name for tensor in node.inputs[: 1 if node.operator == "Expand" else None])
    return needed
