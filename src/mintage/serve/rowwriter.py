"""Write rows in chunks as Parquet, CSV, TSV or JSON lines, to a file or a stream.

>>> import io
>>> out = io.BytesIO()
>>> with row_writer(out, "tsv", pa.schema([("a", pa.string()), ("b", pa.float64())])) as write:
...     write(pa.table({"a": ["x\\ty", None], "b": [0.5, None]}))
>>> out.getvalue()
b'a\\tb\\n"x\\ty"\\t0.5\\n\\t\\n'
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from mintage.errors import UsageError
from mintage.serve.rowfile import SUFFIXES, kind_of
from mintage.store.publish import publish_file, temporary_beside

__all__ = ["Write", "kind_to_write", "published", "row_writer"]

Write = Callable[[pa.Table], None]
_encoder = msgspec.json.Encoder(enc_hook=str)


def kind_to_write(path: Path) -> str:
    """What a file of that name shall hold; raises UsageError."""
    kind = kind_of(path.name)
    if kind is None:
        raise UsageError("not a name for a file of rows", expected=f"a {SUFFIXES} file", where=str(path))
    return kind


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """A name to write to, which becomes ``path`` when the block ends well, and is gone when it does not."""
    temporary = temporary_beside(path)
    try:
        yield temporary
        publish_file(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def row_writer(sink: Path | BinaryIO, kind: str, schema: pa.Schema) -> Iterator[Write]:
    """A function that writes the next table of ``schema``; a stream is flushed, not closed."""
    if kind == "parquet":
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            yield writer.write_table
        return
    if isinstance(sink, Path):
        with sink.open("wb") as stream:
            yield _text_writer(stream, kind, schema)
        return
    yield _text_writer(sink, kind, schema)
    sink.flush()


def _text_writer(stream: BinaryIO, kind: str, schema: pa.Schema) -> Write:
    if kind == "jsonl":
        return lambda table: _write_json(stream, table)
    delimiter = "\t" if kind == "tsv" else ","
    head = io.StringIO()
    csv.writer(head, delimiter=delimiter, lineterminator="\n").writerow(schema.names)
    stream.write(head.getvalue().encode())
    return lambda table: _write_csv(stream, table, delimiter)


def _write_csv(stream: BinaryIO, table: pa.Table, delimiter: str) -> None:
    """Quotes only where they are needed; numbers with all their bits; whole numbers without a point."""
    text = io.StringIO()
    rows = zip(*(_shown(column) for column in table.columns), strict=True)
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    stream.write(text.getvalue().encode())


def _shown(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_floating(column.type):
        return [_number(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def _number(value: float | None) -> float | int | None:
    """3 for 3.0, as people write it; nothing for what is no number."""
    if value is None or value != value:  # noqa: PLR0124 NaN
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _write_json(stream: BinaryIO, table: pa.Table) -> None:
    stream.write(b"".join(_encoder.encode(row) + b"\n" for row in table.to_pylist()))
