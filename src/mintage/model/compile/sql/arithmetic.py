"""Sums, products and quotients with the answers of IEEE 754, in dialects of which one has errors instead.

PostgreSQL stops at an overflow, at a product or quotient that is rounded to 0, and at a division by 0; an operation
is guarded where ``big`` and ``grain`` do not rule these out. DuckDB needs a guard at division only, where its versions
differ. NaN, which arises from infinities alone, becomes NULL. Arithmetic of float32 is done in double and rounded,
which for one operation gives the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mintage.model.compile.sql.cell import BIGGEST, GRAIN, Cell, constant, either, top
from mintage.model.compile.sql.steps import Steps
from mintage.model.compile.sql.text import Dialect, number

__all__ = ["Arithmetic"]

_EASY = 1e300
_BIGGEST_REAL = float(np.finfo(np.float32).max)
_INFINITE_REAL = 3.4028235677973366e38
"""From here on a double is rounded to an infinite float32."""
_ZERO_REAL = 2.0**-150
_REAL_GRAIN = 2.0**-149


class Arithmetic:
    """Arithmetic of one dialect; operands that a guard repeats become columns of ``steps``."""

    def __init__(self, steps: Steps, dialect: Dialect) -> None:
        self.steps, self.dialect = steps, dialect
        self.guarded = dialect == "postgresql"
        self.infinity, self.zero = self.number(math.inf), self.number(0.0)

    def number(self, value: float) -> str:
        """A double constant."""
        return number(value, self.dialect)

    def constant(self, value: float) -> Cell:
        """A double constant as a cell."""
        return constant(value, "double", self.dialect)

    def make(self, sql: str, parts: list[Cell], **known: object) -> Cell:
        """A double made from parts."""
        return replace(
            Cell(sql, "double"),
            level=max(part.level for part in parts),
            uses=frozenset().union(*(part.uses for part in parts)),
            depth=1 + max(part.depth for part in parts),
            null=any(part.null for part in parts),
            **known,  # type: ignore[arg-type]
        )

    def add(self, left: Cell, right: Cell, sign: str = "+") -> Cell:
        """``left + right``, or ``-`` as ``sign`` says."""
        if left.type == "float":
            return self.as_real(left, right, lambda first, second: self.add(first, second, sign))
        if left.value is not None and right.value is not None:
            with np.errstate(all="ignore"):
                other = np.float64(right.value if sign == "+" else -right.value)
                return self.constant(float(np.float64(left.value) + other))
        big, grain = left.big + right.big, min(left.grain, right.grain)
        overflows = not math.isfinite(top(left) + top(right))
        if not (overflows and self.guarded):
            nan = left.big == math.inf == right.big
            return self.maybe_nan(
                self.make(f"({left.sql} {sign} {right.sql})", [left, right], big=big, grain=grain), nan=nan
            )
        left, right = self.steps.column(left), self.steps.column(right)
        a, b = left.sql, right.sql if sign == "+" else f"(-{right.sql})"
        easy = " AND ".join(f"abs({part.sql}) < {self.number(_EASY)}" for part in (left, right) if part.big >= _EASY)
        most, half, infinity, zero = self.number(BIGGEST), self.number(2.0**970), self.infinity, self.zero
        sql = (
            f"CASE WHEN {easy} THEN {a} + {b} "
            f"WHEN {a} > {zero} AND {b} > {zero} THEN "
            f"CASE WHEN least({a}, {b}) >= ({most} - greatest({a}, {b})) + {half} THEN {infinity} ELSE {a} + {b} END "
            f"WHEN {a} < {zero} AND {b} < {zero} THEN "
            f"CASE WHEN greatest({a}, {b}) <= (-{most} - least({a}, {b})) - {half} THEN -{infinity} ELSE {a} + {b} END "
            f"ELSE NULLIF({a} + {b}, 'NaN'::float8) END"
        )
        return self.make(sql, [left, right], big=big, grain=grain)

    def multiply(self, left: Cell, right: Cell) -> Cell:
        """``left * right``."""
        if left.type == "float":
            return self.as_real(left, right, self.multiply)
        if left.value is not None and right.value is not None:
            with np.errstate(all="ignore"):
                return self.constant(float(np.float64(left.value) * np.float64(right.value)))
        if left.value is not None:
            left, right = right, left
        product = left.grain * right.grain
        big = 0.0 if 0.0 in (left.big, right.big) else left.big * right.big
        known = {"big": big, "grain": max(product, GRAIN)}
        if right.value is not None and math.isfinite(right.value):
            return self._scale(left, right, f"{left.sql} * {right.sql}", lambda value: value * right.value, known)
        nan = math.inf in (left.big, right.big)
        safe = math.isfinite(top(left) * top(right)) and product > 0
        if safe or not self.guarded:
            return self.maybe_nan(self.make(f"({left.sql} * {right.sql})", [left, right], **known), nan=nan)
        left, right = self.steps.column(left), self.steps.column(right)
        return self.make(self._product(left.sql, right.sql), [left, right], **known)

    def divide(self, left: Cell, right: Cell) -> Cell:
        """``left / right``; a number divided by 0 is infinite."""
        if left.type == "float":
            return self.as_real(left, right, self.divide)
        if left.value is not None and right.value is not None:
            with np.errstate(all="ignore"):
                return self.constant(float(np.float64(left.value) / np.float64(right.value)))
        if right.value is not None and math.isfinite(right.value) and right.value != 0:
            least = left.grain / abs(right.value)
            known = {"big": left.big / abs(right.value), "grain": max(grain_floor(least), GRAIN)}
            return self._scale(left, right, f"{left.sql} / {right.sql}", lambda value: value / right.value, known)
        left, right = self.steps.column(left), self.steps.column(right)
        sql = self._quotient(left.sql, right.sql)
        return replace(self.make(sql, [left, right]), null=True)

    def maybe_nan(self, cell: Cell, *, nan: bool) -> Cell:
        """A result that may be NaN, made NULL."""
        return replace(cell, sql=f"NULLIF({cell.sql}, 'NaN'::float8)", null=True) if nan else cell

    def to_real(self, cell: Cell) -> Cell:
        """A double rounded to a float32."""
        known = {"big": math.inf if cell.big >= _INFINITE_REAL else min(cell.big, _BIGGEST_REAL)}
        found = {**known, "grain": max(cell.grain, _REAL_GRAIN), "type": "float"}
        over, under = top(cell) >= _INFINITE_REAL, self.guarded and cell.grain <= _ZERO_REAL
        if not over and not under:
            return replace(self.make(f"CAST({cell.sql} AS float4)", [cell]), **found)  # type: ignore[arg-type]
        cell = self.steps.column(cell)
        x, parts = cell.sql, []
        if over:
            limit = self.number(_INFINITE_REAL)
            parts.append(f"WHEN abs({x}) >= {limit} THEN CAST({x} * {self.infinity} AS float4)")
        if under:
            parts.append(f"WHEN abs({x}) <= {self.number(_ZERO_REAL)} THEN CAST({x} * {self.zero} AS float4)")
        sql = f"CASE {' '.join(parts)} ELSE CAST({x} AS float4) END"
        return replace(self.make(sql, [cell]), **found)  # type: ignore[arg-type]

    def to_double(self, cell: Cell) -> Cell:
        """A float32 as a double."""
        if cell.value is not None:
            return self.constant(cell.value)
        return replace(self.make(f"CAST({cell.sql} AS float8)", [cell]), big=cell.big, grain=cell.grain)

    def as_real(self, left: Cell, right: Cell, operate: Callable[[Cell, Cell], Cell]) -> Cell:
        """An operation of float32 numbers."""
        return self.to_real(operate(self.to_double(left), self.to_double(right)))

    def smaller(self, left: Cell, right: Cell, sign: str) -> Cell:
        """Of two numbers the greater (``>``) or the smaller (``<``); NULL if one is."""
        left, right = self.steps.column(left), self.steps.column(right)
        a, b = left.sql, right.sql
        sql = f"CASE WHEN {a} {sign} {b} THEN {a} WHEN {b} {sign}= {a} THEN {b} END"
        return replace(self.make(sql, [left, right]), **either([left, right]), type=left.type)

    def _scale(
        self, left: Cell, right: Cell, sql: str, apply: Callable[[float], float], known: dict[str, float]
    ) -> Cell:
        """A product or quotient with a constant, guarded by the very numbers at which it overflows or becomes 0."""
        nan = left.big == math.inf and right.value == 0
        parts = [left, right]
        over = under = None
        if self.guarded and right.value != 0:
            over = (
                _first(lambda value: math.isinf(_quiet(apply, value))) if math.isinf(_quiet(apply, top(left))) else None
            )
            under = _first(lambda value: _quiet(apply, value) != 0) if _quiet(apply, left.grain) == 0 else None
        if over is None and under is None:
            return self.maybe_nan(self.make(f"({sql})", parts, **known), nan=nan)
        left = self.steps.column(left)
        x, guards = left.sql, []
        sign = "" if right.value > 0 else "-"
        if over is not None:
            guards.append(f"WHEN abs({x}) >= {self.number(over)} THEN {x} * {sign}{self.infinity}")
        if under is not None:
            guards.append(f"WHEN abs({x}) < {self.number(under)} THEN {x} * {sign}{self.zero}")
        operator = sql[len(sql) - len(right.sql) - 3 :]
        return self.make(f"CASE {' '.join(guards)} ELSE {x}{operator} END", [left, right], **known)

    def _product(self, a: str, b: str) -> str:
        number_, infinity = self.number, self.infinity
        low, high = number_(1e-150), number_(1e150)
        one, half = number_(1.0), number_(2.0**-512)
        least = f"least(abs({a}), abs({b})) * {number_(2.0**1000)}"
        most = f"greatest(abs({a}), abs({b})) * {number_(2.0**500)}"
        return (
            f"CASE WHEN abs({a}) BETWEEN {low} AND {high} AND abs({b}) BETWEEN {low} AND {high} THEN {a} * {b} "
            f"WHEN {a} = {self.zero} OR {b} = {self.zero} OR abs({a}) = {infinity} OR abs({b}) = {infinity} "
            f"THEN NULLIF({a} * {b}, 'NaN'::float8) "
            f"WHEN abs({a}) >= {one} AND abs({b}) >= {one} THEN "
            f"CASE WHEN (abs({a}) * {half}) * (abs({b}) * {half}) >= {one} THEN {a} * ({b} * {infinity}) "
            f"ELSE {a} * {b} END "
            f"WHEN abs({a}) < {one} AND abs({b}) < {one} AND least(abs({a}), abs({b})) < {low} THEN "
            f"CASE WHEN ({least}) * ({most}) <= {number_(2.0**425)} THEN ({a} * {self.zero}) * {b} ELSE {a} * {b} END "
            f"ELSE {a} * {b} END"
        )

    def _quotient(self, a: str, b: str) -> str:
        number_, infinity, zero = self.number, self.infinity, self.zero
        sign = f"CASE WHEN atan2({b}, {number_(-1.0)}) < {zero} THEN -{infinity} ELSE {infinity} END"
        by_zero = f"WHEN {b} = {zero} THEN CASE WHEN {a} <> {zero} THEN {a} * ({sign}) END"
        if not self.guarded:
            return f"CASE {by_zero} ELSE NULLIF({a} / {b}, 'NaN'::float8) END"
        over = f"abs({b}) * {number_(2.0**1000)} * {number_(2.0**24)}"
        under = f"abs({a}) * {number_(2.0**1000)} <= abs({b}) * {number_(2.0**-75)}"
        one = number_(1.0)
        return (
            f"CASE {by_zero} "
            f"WHEN abs({b}) = {infinity} THEN CASE WHEN abs({a}) < {infinity} THEN {a} * ({zero} * sign({b})) END "
            f"WHEN abs({b}) < {one} AND abs({a}) >= {over} THEN {a} * ({b} * {infinity}) "
            f"WHEN abs({b}) >= {one} AND abs({a}) < {one} AND {under} THEN ({a} * {zero}) * {b} "
            f"ELSE {a} / {b} END"
        )


def grain_floor(least: float) -> float:
    """A grain of rounded numbers that are at least ``least`` in size."""
    return math.ldexp(1.0, math.frexp(least)[1] - 54) if least > 0 else 0.0


def _quiet(apply: Callable[[float], float], value: float) -> float:
    try:
        return apply(value)
    except OverflowError:
        return math.inf


def _first(holds: Callable[[float], bool]) -> float:
    """The smallest double above 0 for which ``holds``, which is false, then true; the largest double if none is."""
    low, high = 0, int(np.float64(BIGGEST).view(np.int64))
    while low < high:
        middle = (low + high) // 2
        if holds(float(np.int64(middle).view(np.float64))):
            high = middle
        else:
            low = middle + 1
    return float(np.int64(low).view(np.float64))
