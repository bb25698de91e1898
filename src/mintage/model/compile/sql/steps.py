"""The steps of a query: each a ``WITH`` table that reads the one before it, so that nothing is evaluated twice.

A cell that is made a column is computed in the first step that can; later steps carry a column as long as one reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mintage.errors import GraphRefusedError
from mintage.model.compile.sql.cell import Cell

__all__ = ["Steps"]

MOST_COLUMNS = 1500
"""PostgreSQL takes 1664 in a list, the keys among them."""
LONGEST = 3000
DEEPEST = 30
MOST_BYTES = 64 << 20


class Steps:
    """Columns under construction."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, int], Cell] = {}
        self._made: list[tuple[str, int, Cell]] = []

    def column(self, cell: Cell, *, least: int = 0) -> Cell:
        """The cell as a column of a step, from step ``least`` on; the same expression is one column."""
        if cell.plain:
            return cell
        level = max(cell.level, least)
        key = (cell.sql, level)
        if key not in self._columns:
            name = f"c{len(self._made)}"
            self._made.append((name, level, cell))
            sql = name if cell.type != "bool" else f"({name})"
            self._columns[key] = replace(
                cell, sql=sql, level=level + 1, uses=frozenset((name,)), depth=1, plain=True, choice=None
            )
        return self._columns[key]

    def fit(self, cell: Cell) -> Cell:
        """The cell, or a column of it if its expression has become long or deep."""
        return self.column(cell) if len(cell.sql) > LONGEST or cell.depth > DEEPEST else cell

    def render(self, *, source: str, keys: Sequence[str], outputs: Sequence[tuple[str, Cell]]) -> str:
        """The query: keys, then outputs by their quoted names."""
        last = max([1, *(cell.level for _, cell in outputs)])
        needed: list[set[str]] = [set() for _ in range(last + 1)]
        made = {name: (level, cell) for name, level, cell in self._made if level < last}
        _need(needed, last, {name for _, cell in outputs for name in cell.uses}, made)
        lines = []
        for level in range(last):
            carried = sorted((name for name in needed[level] if made[name][0] < level), key=_place)
            fresh = sorted((name for name in needed[level] if made[name][0] == level), key=_place)
            if len(carried) + len(fresh) > MOST_COLUMNS:
                raise GraphRefusedError(
                    "a model that is too wide for SQL",
                    expected=f"at most {MOST_COLUMNS} columns at a time",
                    found=str(len(carried) + len(fresh)),
                    hint="export it to c, wasm, onnx or docker",
                )
            items = [f"{key} AS k{place}" if level == 0 else f"k{place}" for place, key in enumerate(keys)]
            items += carried
            items += [f"{_stored(made[name][1])} AS {name}" for name in fresh]
            origin = source if level == 0 else f"s{level - 1}"
            step = f"SELECT {_list(items)}\n  FROM {origin}"  # noqa: S608 all names are quoted or ours
            lines.append(f"s{level} AS MATERIALIZED (\n  {step}\n)")
        items = [f"k{place} AS {key}" for place, key in enumerate(keys)]
        items += [f"{cell.sql} AS {name}" for name, cell in outputs]
        text = "WITH " + ",\n".join(lines) + f"\nSELECT {_list(items)}\nFROM s{last - 1}\n"
        if len(text) > MOST_BYTES:
            raise GraphRefusedError(
                "a model that is too large for SQL",
                expected=f"at most {MOST_BYTES} bytes",
                found=str(len(text)),
                hint="export it to c, wasm, onnx or docker",
            )
        return text


def _need(needed: list[set[str]], last: int, uses: Iterable[str], made: dict[str, tuple[int, Cell]]) -> None:
    """Fill in which columns each step holds: those that any later one reads."""
    waiting = set(uses)
    for level in range(last - 1, -1, -1):
        needed[level] = set(waiting)
        for name in sorted(waiting):
            where, cell = made[name]
            if where == level:
                waiting.discard(name)
                waiting |= cell.uses


def _place(name: str) -> int:
    return int(name[1:])


def _stored(cell: Cell) -> str:
    """A condition is stored with two values."""
    return f"({cell.sql}) IS TRUE" if cell.type == "bool" else cell.sql


def _list(items: Sequence[str]) -> str:
    return ",\n    ".join(items)
