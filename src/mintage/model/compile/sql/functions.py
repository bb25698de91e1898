"""Functions of one or two numbers with the answers of the C library, infinities included, and without its errors.

PostgreSQL stops where exp or power gives an infinity, a 0 or a number of less than 53 bits, and at a logarithm or root
that does not exist. So arguments beyond these are answered apart. Functions of float32 are those of double, rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from mintage.model.compile.sql.arithmetic import Arithmetic
from mintage.model.compile.sql.cell import GRAIN, Cell

__all__ = ["FUNCTIONS", "power"]

_OVER = 709.782712893384
"""exp of the next double is infinite."""
_SMALL, _UNDER, _ZERO = -708.0, -744.4, -745.1332191019412
"""Down to these, exp has 53 bits; is more than the smallest double; is not 0."""


def _exp(math_: Arithmetic, cell: Cell) -> Cell:
    sql = f"exp({cell.sql})"
    if math_.guarded:
        cell = math_.steps.column(cell)
        sql = f"CASE {_exp_parts(math_, cell.sql)} END"
    try:
        big = math.exp(cell.big)
    except OverflowError:
        big = math.inf
    return math_.make(sql, [cell], big=big)


def _exp_parts(math_: Arithmetic, x: str) -> str:
    """The cases of exp, from large arguments to small ones."""
    number = math_.number
    return (
        f"WHEN {x} > {number(_OVER)} THEN {math_.infinity} WHEN {x} >= {number(_SMALL)} THEN exp({x}) {_tail(math_, x)}"
    )


def _tail(math_: Arithmetic, x: str) -> str:
    """exp of less than -708: the last numbers before 0."""
    number = math_.number
    return (
        f"WHEN {x} < {number(_ZERO)} THEN {math_.zero} WHEN {x} < {number(_UNDER)} THEN {number(GRAIN)} "
        f"WHEN {x} < {number(_SMALL)} THEN exp({x} + {number(64.0)}) * {number(math.exp(-64.0))}"
    )


def _sigmoid(math_: Arithmetic, cell: Cell) -> Cell:
    cell = math_.steps.column(cell)
    x, one = cell.sql, math_.number(1.0)
    sql = (
        f"CASE WHEN {x} > {math_.number(40.0)} THEN {one} "
        f"WHEN {x} >= {math_.number(_SMALL)} THEN {one} / ({one} + exp(-{x})) {_tail(math_, x)} END"
    )
    return math_.make(sql, [cell], big=1.0)


def _log(math_: Arithmetic, cell: Cell) -> Cell:
    cell = math_.steps.column(cell)
    x = cell.sql
    sql = f"CASE WHEN {x} > {math_.zero} THEN ln({x}) WHEN {x} = {math_.zero} THEN -{math_.infinity} END"
    return replace(math_.make(sql, [cell], grain=2.0**-110), null=True)


def _sqrt(math_: Arithmetic, cell: Cell) -> Cell:
    cell = math_.steps.column(cell)
    x = cell.sql
    sql = f"CASE WHEN {x} >= {math_.zero} THEN sqrt({x}) END"
    return replace(math_.make(sql, [cell], big=math.sqrt(cell.big), grain=math.sqrt(cell.grain) * 2.0**-54), null=True)


def _tanh(math_: Arithmetic, cell: Cell) -> Cell:
    """Tanh of the smallest numbers is the number, and PostgreSQL's is not asked for it."""
    cell = math_.steps.column(cell)
    x = cell.sql
    sql = f"CASE WHEN abs({x}) < {math_.number(1e-20)} THEN {x} ELSE tanh({x}) END"
    return math_.make(sql, [cell], big=1.0, grain=max(GRAIN, min(cell.grain, 1e-20) * 2.0**-54))


def _whole(name: str) -> Callable[[Arithmetic, Cell], Cell]:
    def function(math_: Arithmetic, cell: Cell) -> Cell:
        return math_.make(f"{name}({cell.sql})", [cell], big=cell.big + 1.0, grain=1.0)

    return function


def _same_size(name: str) -> Callable[[Arithmetic, Cell], Cell]:
    def function(math_: Arithmetic, cell: Cell) -> Cell:
        return math_.make(f"{name}({cell.sql})", [cell], big=cell.big, grain=cell.grain)

    return function


def power(math_: Arithmetic, base: Cell, exponent: Cell) -> Cell:
    """``base`` to the power of ``exponent``: 1 to any power and any number to the power of 0 are 1, NaN too."""
    if exponent.value in (2, 3):
        base = math_.steps.column(base)
        square = math_.multiply(base, base)
        return square if exponent.value == 2 else math_.multiply(square, base)
    base, exponent = math_.steps.column(base), math_.steps.column(exponent)
    a, b, number = base.sql, exponent.sql, math_.number
    one, zero = number(1.0), math_.zero
    if not math_.guarded:
        sql = f"CASE WHEN {b} = {zero} OR {a} = {one} THEN {one} ELSE NULLIF(power({a}, {b}), 'NaN'::float8) END"
        return replace(math_.make(sql, [base, exponent]), null=True)
    size = math_.steps.column(math_.make(_size_of_power(math_, a, b), [base, exponent]))
    odd = f"abs({b}) < {number(2.0**53)} AND floor({b} / {number(2.0)}) * {number(2.0)} <> {b}"
    minus_zero = f"({a} = {zero} AND atan2({a}, {number(-1.0)}) < {zero})"
    sql = (
        f"CASE WHEN {b} = {zero} OR {a} = {one} THEN {one} "
        f"WHEN {a} < {zero} AND abs({a}) < {math_.infinity} AND abs({b}) < {math_.infinity} "
        f"AND floor({b}) <> {b} THEN NULL "
        f"WHEN ({a} < {zero} OR {minus_zero}) AND floor({b}) = {b} AND {odd} THEN -{size.sql} ELSE {size.sql} END"
    )
    return replace(math_.make(sql, [base, exponent, size]), null=True)


def _size_of_power(math_: Arithmetic, a: str, b: str) -> str:
    """abs(a) to the power of b. Near the ends it is the square of a power that has 53 bits."""
    number, zero, infinity = math_.number, math_.zero, math_.infinity
    size = f"abs({a})"
    log = f"ln({size})"
    half = f"power({size}, {b} / {number(2.0)})"
    return (
        f"CASE WHEN {a} IS NULL THEN NULL "
        f"WHEN {size} = {zero} THEN CASE WHEN {b} > {zero} THEN {zero} WHEN {b} < {zero} THEN {infinity} END "
        f"WHEN {size} = {number(1.0)} THEN CASE WHEN {b} IS NOT NULL THEN {number(1.0)} END "
        f"WHEN {size} = {infinity} THEN CASE WHEN {b} > {zero} THEN {infinity} WHEN {b} < {zero} THEN {zero} END "
        f"WHEN abs({b}) > {number(1e20)} THEN CASE WHEN ({size} > {number(1.0)}) = ({b} > {zero}) THEN {infinity} "
        f"ELSE {zero} END "
        f"WHEN abs({b}) < {number(1e-20)} THEN {number(1.0)} "
        f"WHEN {log} * {b} > {number(_OVER + 1e-9)} THEN {infinity} "
        f"WHEN {log} * {b} < {number(_ZERO)} THEN {zero} "
        f"WHEN {log} * {b} < {number(_UNDER)} THEN {number(GRAIN)} "
        f"WHEN {log} * {b} > {number(709.7)} THEN CASE WHEN {half} >= {number(2.0**512)} "
        f"THEN {infinity} ELSE {half} * {half} END "
        f"WHEN {log} * {b} < {number(_SMALL)} THEN {half} * {half} "
        f"ELSE power({size}, {b}) END"
    )


FUNCTIONS: Mapping[str, Callable[[Arithmetic, Cell], Cell]] = {
    "Abs": _same_size("abs"),
    "Ceil": _whole("ceil"),
    "Exp": _exp,
    "Floor": _whole("floor"),
    "Log": _log,
    "Neg": _same_size("-"),
    "Sigmoid": _sigmoid,
    "Sqrt": _sqrt,
    "Tanh": _tanh,
}
"""By operator, for doubles."""
