"""Examples as a small table, the same wherever they are shown: page, Markdown, terminal. Pure.

Rows of few columns stand one below the other; where there are more, each example is a column, with what changed and the
answers on top.

>>> shown = Example(of="hold-out", row={"age": 41}, changed={"age": 42}, answered="0.5 → 0.25", about="age")
>>> example_table([shown])
(('', 'age', 'answered'), (('age', '41 → 42', '0.5 → 0.25'),))
"""

from __future__ import annotations

from collections.abc import Sequence

from mintage.certify.example import Example, Plain

__all__ = ["ExampleTable", "example_table"]

ExampleTable = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
_FEW = 4


def example_table(examples: Sequence[Example], *, most: int | None = None) -> ExampleTable:
    """The head and the rows; cells of more than ``most`` characters are cut."""
    changed = list(dict.fromkeys(name for item in examples for name in item.changed))
    same = [name for name in dict.fromkeys(name for item in examples for name in item.row) if name not in changed]
    few = len(changed) + len(same) <= _FEW
    told = [item.about or f"{place}" for place, item in enumerate(examples, 1)]
    answers = [("answered", [item.answered for item in examples]), ("expected", [item.expected for item in examples])]
    lines = [("", told), *_values(examples, changed)]
    lines += [*_values(examples, same), *answers] if few else [*answers, *_values(examples, same)]
    lines += [("columns not shown", [str(item.left_out) if item.left_out else "" for item in examples])]
    grid = [[_cut(cell, most) for cell in (name, *cells)] for name, cells in lines if cells is told or any(cells)]
    head, *rest = zip(*grid, strict=True) if few else map(tuple, grid)
    return head, tuple(rest)


def _values(examples: Sequence[Example], names: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [(name, [_cell(item, name) for item in examples]) for name in names]


def _cell(item: Example, name: str) -> str:
    if name not in item.row:
        return ""
    value = _words(item.row[name])
    return f"{value} → {_words(item.changed[name])}" if name in item.changed else value


def _words(value: Plain) -> str:
    if value is None:
        return "missing"
    if value == "":
        return '""'
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _cut(cell: str, most: int | None) -> str:
    return cell if most is None or len(cell) <= most else f"{cell[: most - 1]}…"
