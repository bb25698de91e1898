"""Sums of many numbers, each perhaps with a weight, added from the first to the last, in pieces that parsers take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from mintage.model.compile.sql.arithmetic import Arithmetic, grain_floor
from mintage.model.compile.sql.cell import GRAIN, Cell, top

__all__ = ["chain", "weighted_sum"]

_PIECE = 50
_EASY = 1e300


def chain(math_: Arithmetic, cells: Sequence[Cell]) -> Cell:
    """The sum of doubles or float32 numbers, each rounded to its type."""
    most = math.fsum(top(cell) for cell in cells) if all(math.isfinite(cell.big) for cell in cells) else math.inf
    if most >= (3.4e38 if cells[0].type == "float" else _EASY):
        found = cells[0]
        for cell in cells[1:]:
            found = math_.steps.fit(math_.add(found, cell))
        return found
    found = _pieces(math_, [cell.sql for cell in cells], list(cells))
    grain = min(cell.grain for cell in cells)
    negative = any(cell.negative for cell in cells)
    return replace(found, type=cells[0].type, big=most, grain=grain, negative=negative)


def weighted_sum(math_: Arithmetic, cells: Sequence[Cell], weights: Sequence[float]) -> Cell:
    """The sum of doubles times constants; a weight of 0 leaves out what cannot be NaN."""
    terms = [
        (cell, weight)
        for cell, weight in zip(cells, weights, strict=True)
        if weight != 0 or cell.null or cell.big == math.inf
    ]
    if not terms:
        return math_.constant(0.0)
    big = sum(cell.big * abs(weight) for cell, weight in terms if weight)
    big = math.inf if any(cell.big == math.inf for cell, _ in terms) else big
    grain = min(max(cell.grain * abs(weight), GRAIN) if weight else 1.0 for cell, weight in terms)
    known = {"big": big, "grain": max(grain_floor(grain), GRAIN)}
    safe = all(math.isfinite(top(cell) * abs(weight)) for cell, weight in terms)
    safe = safe and sum(top(cell) * abs(weight) / 16 for cell, weight in terms) < _EASY
    if math_.guarded and not safe:
        return replace(_careful(math_, terms), **known)  # type: ignore[arg-type]
    parts = [_term(math_, cell, weight) for cell, weight in terms]
    found = _pieces(math_, [part.sql for part in parts], parts)
    return math_.maybe_nan(replace(found, **known), nan=big == math.inf)  # type: ignore[arg-type]


def _term(math_: Arithmetic, cell: Cell, weight: float) -> Cell:
    if weight == 1:
        return cell
    return math_.multiply(cell, math_.constant(weight))


def _pieces(math_: Arithmetic, terms: Sequence[str], parts: Sequence[Cell]) -> Cell:
    """Terms, each made of its part, added in their order; after every fifty the sum becomes a column."""
    found: Cell | None = None
    for start in range(0, len(terms), _PIECE):
        some = list(parts[start : start + _PIECE])
        spelled = list(terms[start : start + _PIECE])
        if found is not None:
            found = math_.steps.column(found)
            some, spelled = [found, *some], [found.sql, *spelled]
        joined = " + ".join(spelled)
        made = math_.make(f"({joined})" if len(spelled) > 1 else joined, some)
        found = replace(made, depth=made.depth + len(some), type=parts[0].type)
    assert found is not None
    return found


def _careful(math_: Arithmetic, terms: Sequence[tuple[Cell, float]]) -> Cell:
    """For PostgreSQL: where a term or the sum may overflow, the sum of all divided by 2**512, then multiplied again."""
    number, infinity = math_.number, math_.infinity
    terms = [(math_.steps.column(cell), weight) for cell, weight in terms]
    cells = [cell for cell, _ in terms]
    limit = min(_EASY, _EASY / max(1.0, math.fsum(abs(weight) for _, weight in terms)))
    unsafe = [cell for cell in cells if cell.big >= limit]
    sizes = ", ".join(f"abs({cell.sql})" for cell in unsafe)
    easy = math_.steps.column(
        replace(math_.make(f"(greatest({sizes}) < {number(limit)})", unsafe), type="bool", null=False)
    )
    bounded = [replace(cell, big=min(cell.big, limit)) for cell in cells]
    fast = [_term(math_, cell, weight) for cell, (_, weight) in zip(bounded, terms, strict=True)]
    slow = [_scaled(math_, cell, weight) for cell, weight in terms]
    sums = []
    for condition, parts in ((f"{easy.sql}", fast), (f"{easy.sql} IS NOT TRUE", slow)):
        spelled = [f"CASE WHEN {condition} THEN {part.sql} END" for part in parts]
        sums.append(math_.steps.column(_pieces(math_, spelled, [math_.make("", [part, easy]) for part in parts])))
    first, second = sums
    rescaled = (
        f"CASE WHEN abs({second.sql}) >= {number(2.0**512)} THEN {second.sql} * {infinity} "
        f"ELSE {second.sql} * {number(2.0**512)} END"
    )
    sql = f"CASE WHEN {easy.sql} THEN {first.sql} ELSE NULLIF({rescaled}, 'NaN'::float8) END"
    return replace(math_.make(sql, [easy, first, second]), null=True)


def _scaled(math_: Arithmetic, cell: Cell, weight: float) -> Cell:
    x, number = cell.sql, math_.number
    if weight == 0:
        return math_.make(f"NULLIF({x} * {math_.zero}, 'NaN'::float8)", [cell])
    least = min(1e300, max(1e-150, 1e-160 / abs(weight)))
    sql = (
        f"CASE WHEN abs({x}) < {number(least)} THEN {math_.zero} ELSE {x} * {number(2.0**-512)} * {number(weight)} END"
    )
    return math_.make(sql, [cell])
