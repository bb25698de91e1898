"""Change one table that a stage reads, to see what the pipeline makes of that: a column's values exchanged between
rows, or half of the rows left out.

A table is a Parquet file, or a CSV file with a header. All else in it stays as it was: types and metadata, and in a CSV
file the text of each field. The file is replaced, never written into: it may be a link to a stored one.

>>> import tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> path = Path(folder.name, "a.csv")
>>> _ = path.write_text("x,y\\n1,007\\n2,008\\n3,009\\n")
>>> exchange(path, "y", np.random.default_rng(2)), exchange(path, "z", np.random.default_rng(2))
(True, False)
>>> sorted(line.split(",")[1] for line in path.read_text().split()[1:])
['007', '008', '009']
>>> folder.cleanup()
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["exchange", "halve"]

_DELIMITERS = ",;\t"
_Places = NDArray[np.intp]


def exchange(path: Path, column: str, rng: np.random.Generator) -> bool:
    """Exchange the values of ``column`` between rows; False, and nothing done, if no table with it is at ``path``."""
    return _edit(path, column, lambda table: table.exchanged(column, rng.permutation(table.rows)))


def halve(path: Path, column: str, rng: np.random.Generator, *, group: str | None) -> bool:
    """Keep a half, drawn without replacement, of the groups (or rows) of a table that has ``column``, in their order;
    False, and nothing done, if there is none at ``path``."""

    def kept(table: _Parquet | _Csv) -> _Parquet | _Csv:
        names = table.values(group) if group is not None and group in table.columns else list(range(table.rows))
        codes = np.unique(np.array([str(name) for name in names]), return_inverse=True)[1].reshape(-1)
        count = int(codes.max(initial=-1)) + 1
        chosen = rng.permutation(count)[: (count + 1) // 2]
        return table.taken(np.flatnonzero(np.isin(codes, chosen)))

    return _edit(path, column, kept)


class _Parquet:
    def __init__(self, table: Any) -> None:
        self._table = table
        self.columns: Sequence[str] = table.column_names
        self.rows: int = table.num_rows

    @classmethod
    def read(cls, path: Path, column: str) -> _Parquet | None:
        """None if it is no Parquet file, or one without ``column``."""
        import pyarrow.parquet as pq

        try:
            return cls(pq.read_table(path)) if column in pq.read_schema(path).names else None
        except (pa.ArrowException, OSError):
            return None

    def values(self, column: str) -> list[Any]:
        found: list[Any] = self._table.column(column).to_pylist()
        return found

    def exchanged(self, column: str, places: _Places) -> _Parquet:
        at = list(self.columns).index(column)
        values = self._table.column(column).combine_chunks().take(pa.array(places))
        return _Parquet(self._table.set_column(at, self._table.schema.field(at), values))

    def taken(self, places: _Places) -> _Parquet:
        return _Parquet(self._table.take(pa.array(places)))

    def write(self, path: Path) -> None:
        import pyarrow.parquet as pq

        pq.write_table(self._table, path)


class _Csv:
    def __init__(self, head: list[str], lines: list[list[str]], *, delimiter: str, encoding: str) -> None:
        self._head, self._lines, self._delimiter, self._encoding = head, lines, delimiter, encoding
        self.columns: Sequence[str] = [name.strip() for name in head]
        self.rows = len(lines)

    @classmethod
    def read(cls, path: Path, column: str) -> _Csv | None:
        """With the delimiter that makes ``column`` one of its columns; None if its lines are not of one length."""
        with path.open("rb") as stream:
            encoding = "utf-8-sig" if stream.read(3) == codecs.BOM_UTF8 else "utf-8"
        for delimiter in _DELIMITERS:
            try:
                with path.open(newline="", encoding=encoding, errors="surrogateescape") as text:
                    lines = csv.reader(text, delimiter=delimiter)
                    head = next(lines, [])
                    if column not in [name.strip() for name in head]:
                        continue
                    table = cls(head, [line for line in lines if line], delimiter=delimiter, encoding=encoding)
            except csv.Error:
                return None
            return table if all(len(line) == len(head) for line in table._lines) else None
        return None

    def values(self, column: str) -> list[Any]:
        at = list(self.columns).index(column)
        return [line[at] for line in self._lines]

    def exchanged(self, column: str, places: _Places) -> _Csv:
        at, values = list(self.columns).index(column), self.values(column)
        lines = [[*line[:at], values[place], *line[at + 1 :]] for line, place in zip(self._lines, places, strict=True)]
        return self._with(lines)

    def taken(self, places: _Places) -> _Csv:
        return self._with([self._lines[place] for place in places])

    def write(self, path: Path) -> None:
        with path.open("w", newline="", encoding=self._encoding, errors="surrogateescape") as stream:
            writer = csv.writer(stream, delimiter=self._delimiter, lineterminator="\n")
            writer.writerows([self._head, *self._lines])

    def _with(self, lines: list[list[str]]) -> _Csv:
        return _Csv(self._head, lines, delimiter=self._delimiter, encoding=self._encoding)


def _edit(path: Path, column: str, edit: Callable[[_Parquet | _Csv], _Parquet | _Csv]) -> bool:
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv"):
        return False
    table = _Csv.read(path, column) if suffix == ".csv" else _Parquet.read(path, column)
    if table is None or table.rows == 0:
        return False
    changed = path.with_name(f".{path.name}.changed")
    edit(table).write(changed)
    changed.replace(path)
    return True
