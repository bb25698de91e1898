"""Which rows cannot occur by the model file's ``impossible:``, and which cells cannot: no row of theirs can. Pure.

A row is impossible where a condition is true. Null makes a comparison neither true nor false, as in SQL, and so ``not``
of it; ``is null`` is always one of the two. A cell is a range of numbers (a row is one of no width), a text, any text
but some, or null; it is impossible only if the condition is true of every row in it. Ranges are computed by interval
arithmetic: it may miss an impossible cell where a column stands twice, and never takes a possible one for impossible.

>>> from mintage.repo.condition import Column, parse_condition
>>> home = parse_condition("purpose == 'home' and term < 24", {"purpose": Column("string"), "term": Column("int")})
>>> rows = {"purpose": np.array(["home", "home", "car", None], dtype=object), "term": np.array([12.0, np.nan, 12, 12])}
>>> impossible_rows([home], rows).tolist()
[True, False, False, False]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mintage.repo.condition import Condition, Node

__all__ = ["Numbers", "Texts", "always", "impossible_rows", "rows_of"]

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Numbers:
    """One range a cell, both ends in it; ``null`` where the cell is null, and then the ends say nothing."""

    low: Floats
    high: Floats
    null: Flags


@dataclass(frozen=True)
class Texts:
    """One text a cell; None where ``null`` or where it may be any text but ``never``."""

    values: NDArray[Any]
    null: Flags
    never: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Truth:
    """What a condition may be in each cell."""

    true: Flags
    false: Flags
    null: Flags


def rows_of(column: NDArray[Any]) -> Numbers | Texts:
    """Each row of a column as a cell of its own."""
    if column.dtype.kind == "O":
        return Texts(column, np.array([value is None for value in column.tolist()], dtype=bool))
    values = column.astype(np.float64)
    return Numbers(values, values, np.isnan(values))


def impossible_rows(conditions: Sequence[Condition], columns: Mapping[str, NDArray[Any]]) -> Flags:
    """Which rows cannot occur."""
    found = np.zeros(len(next(iter(columns.values()))), dtype=bool)
    for condition in conditions:
        found |= always(condition, {name: rows_of(columns[name]) for name in condition.columns})
    return found


def always(condition: Condition, cells: Mapping[str, Numbers | Texts]) -> Flags:
    """In which cells the condition is true of every row."""
    with np.errstate(all="ignore"):
        found = _truth(condition.tree, cells)
    return found.true & ~found.false & ~found.null


def _truth(node: Node, cells: Mapping[str, Numbers | Texts]) -> _Truth:
    if node.what == "null":
        null = _value(node.parts[0], cells).null
        return _Truth(null, ~null, np.zeros_like(null))
    if node.what == "not":
        inner = _truth(node.parts[0], cells)
        return _Truth(inner.false, inner.true, inner.null)
    if node.what == "or":
        left, right = (_truth(part, cells) for part in node.parts)
        return _joined(left, right, same=False)
    if node.what == "and":
        left, right = (_truth(part, cells) for part in node.parts)
        return _joined(left, right, same=True)
    if node.what == "in":
        assert isinstance(node.value, tuple)
        return _any_of(_value(node.parts[0], cells), node.value)
    left_value, right_value = (_value(part, cells) for part in node.parts)
    if isinstance(left_value, Numbers) and isinstance(right_value, Numbers):
        return _compared(node.what, left_value, right_value)
    assert isinstance(left_value, Texts) and isinstance(right_value, Texts)
    equal = _same_text(left_value, right_value)
    return equal if node.what == "==" else _Truth(equal.false, equal.true, equal.null)


def _joined(left: _Truth, right: _Truth, *, same: bool) -> _Truth:
    """``and`` (``same``), or ``or``, of which all that is said of true and false is the other way round."""
    wins, loses = ("true", "false") if same else ("false", "true")
    both = getattr(left, wins) & getattr(right, wins)
    either = getattr(left, loses) | getattr(right, loses)
    null = (left.null & (right.null | getattr(right, wins))) | (right.null & getattr(left, wins))
    return _Truth(both, either, null) if same else _Truth(either, both, null)


def _any_of(value: Numbers | Texts, known: tuple[float | str, ...]) -> _Truth:
    if isinstance(value, Numbers):
        floats = [float(item) for item in known]
        sure = (value.low == value.high) & np.isin(value.low, floats)
        may = np.logical_or.reduce([(value.low <= item) & (item <= value.high) for item in floats])
    else:
        texts = frozenset(map(str, known))
        sure = np.array([item in texts for item in value.values.tolist()], dtype=bool)
        may = sure | ((_are_none(value)) & bool(texts - value.never))
    return _Truth(may & ~value.null, ~sure & ~value.null, value.null)


def _compared(sign: str, left: Numbers, right: Numbers) -> _Truth:
    if sign in (">", ">="):
        return _compared({">": "<", ">=": "<="}[sign], right, left)
    if sign == "<":
        may, sure = left.low < right.high, left.high < right.low
    elif sign == "<=":
        may, sure = left.low <= right.high, left.high <= right.low
    else:
        may = (left.low <= right.high) & (right.low <= left.high)
        sure = (left.low == left.high) & (right.low == right.high) & (left.low == right.low)
        if sign == "!=":
            may, sure = ~sure, ~may
    null = left.null | right.null
    return _Truth(may & ~null, ~sure & ~null, null)


def _same_text(left: Texts, right: Texts) -> _Truth:
    null = left.null | right.null
    both = np.broadcast_arrays(left.values, right.values)
    open_left, open_right = (np.broadcast_to(_are_none(side), both[0].shape) for side in (left, right))
    equal = np.array([one == other for one, other in zip(*(side.tolist() for side in both), strict=True)], dtype=bool)
    sure = equal & ~open_left & ~open_right
    may = sure.copy()
    for known, unknown, place in ((right, left, open_left), (left, right, open_right)):
        out = np.array([value in unknown.never for value in np.broadcast_to(known.values, both[0].shape).tolist()])
        may |= place & ~out.astype(bool)
    return _Truth(may & ~null, ~sure & ~null, null)


def _are_none(value: Texts) -> Flags:
    return np.array([item is None for item in value.values.tolist()], dtype=bool)


def _value(node: Node, cells: Mapping[str, Numbers | Texts]) -> Numbers | Texts:
    if node.what == "column":
        return cells[str(node.value)]
    nothing = np.zeros(1, dtype=bool)
    if node.what == "constant":
        if isinstance(node.value, str):
            text = np.empty(1, dtype=object)
            text[0] = node.value
            return Texts(text, nothing)
        constant = np.array([node.value], dtype=np.float64)
        return Numbers(constant, constant, nothing)
    left, right = (_value(part, cells) for part in node.parts)
    assert isinstance(left, Numbers) and isinstance(right, Numbers)
    return _arithmetic(node.what, left, right)


def _arithmetic(sign: str, left: Numbers, right: Numbers) -> Numbers:
    if sign == "+":
        ends = [left.low + right.low, left.high + right.high]
    elif sign == "-":
        ends = [left.low - right.high, left.high - right.low]
    else:
        corners = [one * other for one in (left.low, left.high) for other in (right.low, right.high)]
        ends = [np.minimum.reduce(corners), np.maximum.reduce(corners)]
    null, low, high = left.null | right.null, ends[0], ends[1]
    # infinity less infinity, or times 0: it may be anything; of a row it is null, as is every number that is none
    alone = (left.low == left.high) & (right.low == right.high)
    nowhere = np.isnan(low) | np.isnan(high)
    return Numbers(np.where(nowhere, -np.inf, low), np.where(nowhere, np.inf, high), null | (nowhere & alone & ~null))
