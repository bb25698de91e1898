"""Arrays and frames of the user's program as columns: their names, a digest of each, a hash of each row.

Runs in the user's program (Python 3.9 or later) and imports nothing that it has not loaded: numpy, pandas and polars
are taken from ``sys.modules``. Numbers of any type have the digest of their float64, so that a frame, its ``.values``
and a choice of its columns are known for one another. What is no table of plain columns (a sparse matrix, three
dimensions, a generator) has none: ``columns_of`` is None.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

__all__ = ["Columns", "columns_of", "glimpse", "hash_rows", "keys_of", "room_of"]

_BLOCK = 4096
_MOST_COLUMNS = 5000
_SAMPLE = 64
_STEP = 0x9E3779B97F4A7C15


def room_of(data: Any) -> str:
    """The library that a value is of: numpy, pandas, polars, builtins ..."""
    return str(type(data).__module__).partition(".")[0]


class Columns:
    """The columns of one value: ``names`` (None where it has none), ``values`` by place; digests are made on demand."""

    def __init__(self, names: list[str | None], values: list[Any], rows: int, block: Any = None) -> None:
        self.names = names
        self.values = values
        self.rows = rows
        self._block = block
        self._digests: list[str] | None = None

    def digests(self) -> list[str]:
        """One a column; equal values in equal order have equal ones."""
        if self._digests is None:
            if self._block is not None and self._block.dtype.kind in "biuf":
                self._digests = _of_block(self._block)
            else:
                self._digests = [
                    hashlib.sha1(keys_of(value), usedforsecurity=False).hexdigest() for value in self.values
                ]
        return self._digests


def hash_rows(values: list[Any]) -> Any:
    """A number for each row, out of its values in some columns of one length."""
    numpy = sys.modules["numpy"]
    found = numpy.zeros(len(values[0]), dtype=numpy.uint64)
    for value in values:
        found *= numpy.uint64(_STEP)
        found += keys_of(value)
        found ^= found >> numpy.uint64(29)
    return found


def columns_of(data: Any) -> Columns | None:
    """The columns of an array, a frame, a series or a list of plain values."""
    numpy, room = sys.modules.get("numpy"), room_of(data)
    if numpy is None:
        return None
    if isinstance(data, (list, tuple)) and 0 < len(data) <= 10_000_000:
        if not isinstance(data[0], (bool, int, float, str)):
            return None
        data = numpy.asarray(data)
    if isinstance(data, numpy.ndarray):
        return _of_array(data)
    if room == "pandas" and type(data).__name__ in ("DataFrame", "Series"):
        return _of_pandas(data)
    if room == "polars" and type(data).__name__ in ("DataFrame", "Series"):
        if type(data).__name__ == "Series":
            return Columns([data.name or None], [data], len(data))
        return Columns([str(name) for name in data.columns], list(data.get_columns()), data.height)
    return None


def _of_array(data: Any) -> Columns | None:
    if data.ndim == 1:
        return Columns([None], [data], len(data))
    if data.ndim != 2 or not 0 < data.shape[1] <= _MOST_COLUMNS:
        return None
    return Columns([None] * data.shape[1], [data[:, i] for i in range(data.shape[1])], len(data), block=data)


def _of_pandas(data: Any) -> Columns | None:
    if type(data).__name__ == "Series":
        return Columns([None if data.name is None else str(data.name)], [data], len(data))
    if data.shape[1] > _MOST_COLUMNS:
        return None
    values = [data.iloc[:, i] for i in range(data.shape[1])]
    return Columns([str(name) for name in data.columns], values, len(data))


def glimpse(data: Any) -> Any:
    """A cheap mark of a value's content, to notice that it was changed in place: sums of numbers, and some rows."""
    columns = columns_of(data)
    if columns is None:
        return None
    numpy = sys.modules["numpy"]
    step = max(1, columns.rows // _SAMPLE)
    marks: list[Any] = [columns.rows, tuple(columns.names)]
    if columns._block is not None and columns._block.dtype.kind in "biuf":
        with numpy.errstate(all="ignore"):
            marks += [
                float(numpy.nansum(columns._block, dtype=float)),
                keys_of(columns._block[::step].ravel()).tobytes(),
            ]
        return tuple(marks)
    for value in columns.values:
        plain = _numbers(value)
        if plain is not None:
            with numpy.errstate(all="ignore"):
                marks.append(float(numpy.nansum(plain)))  # a NaN is unlike itself
        marks.append(keys_of(value[::step]).tobytes())
    return tuple(marks)


def _of_block(block: Any) -> list[str]:
    """Digests of the columns of a matrix; by blocks of rows, since a column of it lies scattered in memory."""
    numpy = sys.modules["numpy"]
    made = [hashlib.sha1(usedforsecurity=False) for _ in range(block.shape[1])]
    for start in range(0, len(block), _BLOCK):
        part = numpy.array(block[start : start + _BLOCK].T, dtype=numpy.float64, order="C")
        for hasher, row in zip(made, part):
            hasher.update(_canonical(row))
    return [hasher.hexdigest() for hasher in made]


def keys_of(value: Any) -> Any:
    """64 bits for each value of a column."""
    numpy = sys.modules["numpy"]
    plain = _numbers(value)
    if plain is not None:
        return _canonical(plain)
    room = room_of(value)
    if room == "polars":
        return numpy.ascontiguousarray(value.hash(0).to_numpy().astype(numpy.uint64))
    pandas = sys.modules.get("pandas")
    if room == "pandas" and pandas is not None:
        value = value.astype(object).to_numpy()
    if value.dtype.kind in "mM":
        return numpy.ascontiguousarray(value).view(numpy.uint64)
    texts = [str(item).encode("utf-8", "surrogatepass") for item in value.tolist()]
    short = {text: hashlib.sha1(text, usedforsecurity=False).digest()[:8] for text in set(texts)}
    return numpy.frombuffer(b"".join([short[text] for text in texts]), dtype=numpy.uint64)


def _numbers(value: Any) -> Any:
    """A column of numbers as float64 with NaN for a missing one; None for another column."""
    numpy, room = sys.modules["numpy"], room_of(value)
    if room == "numpy":
        return value.astype(numpy.float64, copy=False) if value.dtype.kind in "biuf" else None
    if room == "polars":
        if value.dtype.is_numeric() or str(value.dtype) == "Boolean":
            return value.cast(sys.modules["polars"].Float64).to_numpy()
        return None
    if getattr(value.dtype, "kind", "O") not in "biuf" or str(value.dtype) == "category":
        return None
    if isinstance(value.dtype, numpy.dtype):
        return value.to_numpy().astype(numpy.float64, copy=False)
    return value.to_numpy(dtype=numpy.float64, na_value=numpy.nan)


def _canonical(numbers: Any) -> Any:
    """The bits of float64, with one zero and one NaN."""
    numpy = sys.modules["numpy"]
    numbers = numbers + 0.0
    numbers[numpy.isnan(numbers)] = numpy.nan
    return numpy.ascontiguousarray(numbers).view(numpy.uint64)
