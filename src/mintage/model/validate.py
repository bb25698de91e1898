"""Check one column of a request, and make it the tensor that the graph takes. The hot path of serving.

``column_check(item)`` returns a function from a column to (tensor [N, 1], number of flagged values). What does not fit
is an error: another type, a null where none may be, an infinity, a fraction where integers are declared, and a value
that the estimator itself refuses: not known in a closed input, or a number beyond its limits. What is merely unusual,
out of range or not a known category, is accepted and counted. One row takes a path of its own, without any vectorised
pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mintage.errors import (
    InputCategoryError,
    InputInfiniteError,
    InputNullError,
    InputRangeError,
    InputShapeError,
    InputTypeError,
)
from mintage.model.signature import Input

__all__ = ["Check", "column_check", "is_missing"]

Array = np.ndarray[Any, Any]
Check = Callable[[Array], tuple[Array, int]]
_FLOAT64 = np.dtype(np.float64)
_OBJECT = np.dtype(object)
_EXACT = 2.0**53
_FINITE = float(np.finfo(np.float64).max)
_TEXT_OR_NULL = frozenset((str, type(None)))


def column_check(item: Input, missing_text: str) -> Check:
    """The check of one input; see the module's text."""
    return _text_check(item, missing_text) if item.datatype == "BYTES" else _number_check(item)


def _number_check(item: Input) -> Check:
    low, high = item.range or (None, None)
    least = -math.inf if low is None else low
    most = math.inf if high is None else high
    nullable, integer, closed = item.nullable, item.integer, item.closed
    values_known = None if item.categories is None else np.array([float(value) for value in item.categories])
    plain = values_known is None and not integer
    smallest, largest = item.limits or (-_FINITE, _FINITE)
    first, last = max(least, smallest), min(most, largest)

    def check(column: Array) -> tuple[Array, int]:
        if column.dtype is not _FLOAT64:
            column = _as_float64(item, column)
        if column.size == 1:
            value = column.item()
            if plain and (first <= value <= last or (nullable and math.isnan(value))):
                return column.reshape(1, 1), 0
        elif column.ndim != 1 and column.shape[1:] != (1,):
            raise _shape(item, column)
        return many(column.reshape(-1))

    def many(column: Array) -> tuple[Array, int]:
        null = np.isnan(column)
        if not nullable and null.any():
            raise _null(item, int(np.argmax(null)))
        if np.isinf(column).any():
            place = int(np.argmax(np.isinf(column)))
            raise InputInfiniteError(
                f"input {item.name} is infinite",
                expected="a finite number" + (", or null" if nullable else ""),
                found=str(column[place]),
                where=_row(place),
            )
        if item.limits is not None:
            _refuse_beyond(item, column, smallest, largest)
        if integer:
            _refuse_fractions(item, column, null)
        flagged = (column < least) | (column > most)
        if values_known is not None:
            flagged |= ~np.isin(column, values_known) & ~null
        if closed and flagged.any():
            place = int(np.argmax(flagged))
            raise _not_known(item, str(column[place]), place)
        return column.reshape(-1, 1), int(np.count_nonzero(flagged))

    return check


def _text_check(item: Input, missing_text: str) -> Check:
    nullable, closed, name = item.nullable, item.closed, item.name
    known = None if item.categories is None else frozenset(str(value) for value in item.categories)
    missing = np.array([[missing_text]], dtype=object)

    def check(column: Array) -> tuple[Array, int]:
        if column.dtype is not _OBJECT:
            column = _as_objects(item, column)
        if column.size == 1:
            value = column.item()
            if type(value) is str and (known is None or value in known):
                return column.reshape(1, 1), 0
            if value is None and nullable:
                return missing, 0
        elif column.ndim != 1 and column.shape[1:] != (1,):
            raise _shape(item, column)
        return many(column.reshape(-1))

    def many(column: Array) -> tuple[Array, int]:
        values = column.tolist()
        try:
            found = set(values)  # few texts in many rows: what follows looks at each once
        except TypeError:
            found = {()}  # something without a hash is no text
        if not _TEXT_OR_NULL.issuperset(map(type, found)):
            values = [None if is_missing(value) else value for value in values]  # NaN, as pandas has it
            column = np.empty(len(values), dtype=object)
            column[:] = values
            found = set(values) if all(type(value) in _TEXT_OR_NULL for value in values) else {()}
        if not _TEXT_OR_NULL.issuperset(map(type, found)):
            place = next(index for index, value in enumerate(values) if type(value) not in _TEXT_OR_NULL)
            raise InputTypeError(
                f"input {name} is not text",
                expected="strings" + (" or null" if nullable else ""),
                found=type(values[place]).__name__,
                where=_row(place),
            )
        if None in found or missing_text in found:
            if not nullable:
                raise _null(item, next(at for at, value in enumerate(values) if value in (None, missing_text)))
            values = [missing_text if value is None else value for value in values]
            column = np.array(values, dtype=object)
        odd = () if known is None else found - known - {None, missing_text}
        flagged = sum(value in odd for value in values) if odd else 0
        if closed and flagged and known is not None:
            place = next(at for at, value in enumerate(values) if value not in known and value != missing_text)
            raise _not_known(item, repr(values[place][:80]), place)
        return column.reshape(-1, 1), flagged

    return check


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA, which is known by its name alone: pandas may not be here."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _as_float64(item: Input, column: Array) -> Array:
    """Other numbers as float64, if that loses nothing."""
    kind = column.dtype.kind
    if kind in "iu":
        if column.size and (int(column.max()) > _EXACT or int(column.min()) < -_EXACT):
            raise InputTypeError(
                f"input {item.name} has integers that a float64 cannot hold", expected="integers up to 2^53"
            )
        return column.astype(np.float64)
    if kind == "f" and column.dtype.itemsize <= 8:
        return column.astype(np.float64)
    if kind == "O":
        return _from_objects(item, column)
    raise InputTypeError(f"input {item.name} is not a number", expected="FP64", found=str(column.dtype))


def _from_objects(item: Input, column: Array) -> Array:
    values = column.reshape(-1).tolist()
    for place, value in enumerate(values):
        if value is not None and type(value) not in (int, float):
            raise InputTypeError(
                f"input {item.name} is not a number", expected="FP64", found=type(value).__name__, where=_row(place)
            )
        if type(value) is int and abs(value) > _EXACT:
            raise InputTypeError(
                f"input {item.name} has integers that a float64 cannot hold", expected="integers up to 2^53"
            )
    return np.array([math.nan if value is None else float(value) for value in values])


def _as_objects(item: Input, column: Array) -> Array:
    if column.dtype.kind != "U":
        raise InputTypeError(f"input {item.name} is not text", expected="BYTES", found=str(column.dtype))
    return column.astype(object)


def _refuse_fractions(item: Input, column: Array, null: Array) -> None:
    broken = (np.floor(column) != column) & ~null
    if broken.any():
        place = int(np.argmax(broken))
        raise InputTypeError(
            f"input {item.name} is not an integer", expected="integers", found=str(column[place]), where=_row(place)
        )


def _refuse_beyond(item: Input, column: Array, smallest: float, largest: float) -> None:
    beyond = (column < smallest) | (column > largest)
    if beyond.any():
        place = int(np.argmax(beyond))
        raise InputRangeError(
            f"input {item.name} has a number that is too large for the model",
            expected=f"from {smallest!r} to {largest!r}",
            found=str(column[place]),
            where=_row(place),
        )


def _shape(item: Input, column: Array) -> InputShapeError:
    return InputShapeError(
        f"input {item.name} has another shape", expected="[rows] or [rows, 1]", found=str(list(column.shape))
    )


def _null(item: Input, place: int) -> InputNullError:
    return InputNullError(f"input {item.name} must not be null", where=_row(place))


def _not_known(item: Input, found: str, place: int) -> InputCategoryError:
    known = ", ".join(str(value) for value in (item.categories or ())[:12])
    return InputCategoryError(
        f"input {item.name} has a value that the model refuses",
        expected=f"one of {known}" if known else "a value in the declared range",
        found=found,
        where=_row(place),
    )


def _row(place: int) -> str:
    return f"row {place}"
