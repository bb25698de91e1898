"""What a notebook says of its parameters and seeds, without running it. Pure, but for ``read_notebook``.

Parameters are the assignments of cells tagged ``parameters``, whatever their names, and what a script's text would say
(``recording.source``): constants in capitals, defaults of argparse and click. Values say the cell and its line.

>>> cells = (Cell(number=1, place=0, source="rate = 0.1", tags=("parameters",)),
...          Cell(number=2, place=1, source="SEED = 4\\nTree(random_state=SEED)", tags=()))
>>> found = source_of(cells, where="train.ipynb")
>>> [(value.name, value.value, value.where) for value in (*found.parameters, *found.seeds)][1:]
[('SEED', 4, 'train.ipynb cell 2:1'), ('Tree(random_state)', 4, 'train.ipynb cell 2:2')]
>>> parameters_in(cells)
{'rate': (0.1, 1, 1)}
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mintage.pipeline.notebook.python_text import masked, python_text
from mintage.pipeline.recording.source import Source, Value, read_source
from mintage.repo.notebook import Cell, code_cells, parse_notebook

__all__ = ["PARAMETERS", "parameters_in", "read_notebook", "source_of"]

PARAMETERS = "parameters"
"""The tag of a cell whose assignments may be given from outside, as papermill has it."""


def read_notebook(root: Path, path: str) -> Source:
    """What the notebook at ``path`` of the project says."""
    return source_of(code_cells(parse_notebook((root / path).read_bytes(), where=path)), where=path)


def source_of(cells: Sequence[Cell], *, where: str) -> Source:
    """Parameters and seeds in the order of the cells."""
    text, places = python_text(cells)
    found = read_source(text, where=where)
    tagged = parameters_in(cells)
    parameters = [Value(name, value, _at(where, cell, line)) for name, (value, cell, line) in tagged.items()]
    parameters += [_placed(value, where, places) for value in found.parameters if value.name not in tagged]
    return Source(tuple(parameters), tuple(_placed(value, where, places) for value in found.seeds))


def parameters_in(cells: Sequence[Cell]) -> dict[str, tuple[Any, int, int]]:
    """By name, what the tagged cells assign: the value (None if it is not a literal), the cell and its line."""
    found: dict[str, tuple[Any, int, int]] = {}
    for cell in cells:
        if PARAMETERS in cell.tags:
            for node in ast.parse(masked(cell.source)).body:
                for name, value in _assigned(node):
                    found[name] = (value, cell.number, node.lineno)
    return found


def _assigned(node: ast.stmt) -> list[tuple[str, Any]]:
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    else:
        return []
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        literal = None
    return [(target.id, literal) for target in targets if isinstance(target, ast.Name)]


def _placed(value: Value, where: str, places: Sequence[tuple[int, int]]) -> Value:
    cell, line = places[int(value.where.rpartition(":")[2]) - 1]
    return Value(value.name, value.value, _at(where, cell, line))


def _at(where: str, cell: int, line: int) -> str:
    return f"{where} cell {cell}:{line}"
