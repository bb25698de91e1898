"""Read a file of rows in chunks: Parquet, CSV, TSV or JSON lines, by the name's suffix.

``open_rows`` gives the schema and the chunks, so that a file of any size takes bounded memory. A CSV file says nothing
of types: a column that the model takes is text or numbers as its signature says, and a value that is no number is an
error with its row; an empty field is missing, and among numbers so are ``NaN``, ``NA`` and ``null``. With
``is_verbatim`` other columns are text, so that what is written again is what was read (``007`` stays ``007``);
without, they are what their first values suggest. Rows are counted from 1, without the head line.

It does not look at whether values are in the model's domain.

>>> kind_of("rows.TSV"), kind_of("rows.jsonl"), kind_of("rows.txt")
('tsv', 'jsonl', None)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from mintage.errors import BatchFileError, InputTypeError
from mintage.model.signature import Input, Signature

__all__ = ["CHUNK_ROWS", "SUFFIXES", "kind_of", "open_rows"]

CHUNK_ROWS = 65_536
SUFFIXES = ".parquet, .csv, .tsv or .jsonl"
_KINDS = {".parquet": "parquet", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_MISSING_NUMBERS = ["", "NaN", "nan", "NA", "N/A", "n/a", "null", "NULL", "None", "#N/A"]
_BOOLEANS = {"true": 1.0, "True": 1.0, "TRUE": 1.0, "false": 0.0, "False": 0.0, "FALSE": 0.0}
_BLOCK_BYTES = 2 << 20
Rows = tuple[pa.Schema, Iterator[pa.Table]]


def kind_of(name: str) -> str | None:
    """What a file of that name holds: ``parquet``, ``csv``, ``tsv`` or ``jsonl``; None if it is none of them."""
    return _KINDS.get(Path(name).suffix.lower())


def open_rows(path: Path, signature: Signature, *, kind: str | None, where: str, is_verbatim: bool) -> Rows:
    """The columns of the file and its rows in chunks; raises BatchFileError, later ones with the chunk they are in.

    ``where`` names the file in messages.
    """
    try:
        if kind == "parquet":
            file = pq.ParquetFile(path)
            batches: Iterable[pa.RecordBatch] = file.iter_batches(batch_size=CHUNK_ROWS)
            return file.schema_arrow.remove_metadata(), _tables(batches, where)
        if kind in ("csv", "tsv"):
            return _open_csv(path, signature, delimiter="\t" if kind == "tsv" else ",", where=where, text=is_verbatim)
        if kind == "jsonl":
            return _open_json(path, signature, where)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(error, where) from error
    raise BatchFileError("not a file of rows", expected=f"a {SUFFIXES} file", where=where)


def _open_csv(path: Path, signature: Signature, *, delimiter: str, where: str, text: bool) -> Rows:
    broken: list[str] = []

    def refuse(row: pa_csv.InvalidRow) -> str:
        broken.append(f"{row.actual_columns} fields instead of {row.expected_columns}: {row.text[:80]!r}")
        return "error"

    reading = pa_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False)
    parsing = pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse)
    taken = {item.name for item in signature.inputs} | ({signature.id} if signature.id else set())
    try:
        with pa_csv.open_csv(path, read_options=reading, parse_options=parsing) as first:
            names = first.schema.names
        if len(set(names)) != len(names):
            raise BatchFileError("a column name comes twice", found=", ".join(names)[:300], where=where)
        types = {name: pa.string() for name in names if text or name in taken}
        converting = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
        if not text:
            converting.null_values = _MISSING_NUMBERS
            converting.strings_can_be_null = False
        reader = pa_csv.open_csv(path, read_options=reading, parse_options=parsing, convert_options=converting)
    except pa.ArrowException as error:
        raise _unreadable(error, where, broken) from error
    numbers = [item for item in signature.inputs if item.datatype == "FP64" and item.name in names]
    schema = reader.schema.remove_metadata()
    for item in numbers:
        schema = schema.set(schema.get_field_index(item.name), pa.field(item.name, pa.float64()))
    return schema, _typed(_tables(reader, where, broken), schema, numbers, where)


def _typed(tables: Iterator[pa.Table], schema: pa.Schema, numbers: list[Input], where: str) -> Iterator[pa.Table]:
    """Chunks of a CSV file with the inputs as the model takes them."""
    done = 0
    for table in tables:
        columns = [_empty_is_missing(column) for column in table.columns]
        for item in numbers:
            at = table.schema.get_field_index(item.name)
            columns[at] = _numbers(item, columns[at].combine_chunks(), first_row=done + 1, where=where)
        done += table.num_rows
        yield pa.table(columns, schema=schema)


def _empty_is_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _numbers(item: Input, column: pa.Array, *, first_row: int, where: str) -> pa.Array:
    """Texts as float64; raises InputTypeError for the first that is no number."""
    column = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(column, value_set=pa.array(_MISSING_NUMBERS))
    column = pc.if_else(missing, pa.scalar(None, pa.string()), column)
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        texts = column.to_pylist()
    found: list[float | None] = []
    for place, text in enumerate(texts):
        try:
            found.append(text if text is None else _BOOLEANS[text] if text in _BOOLEANS else _number(text))
        except ValueError:
            raise InputTypeError(
                f"column {item.name} has a value that is not a number",
                expected="a number" + (", or an empty field where it is missing" if item.nullable else ""),
                found=repr(text[:80]),
                where=f"{where}, row {first_row + place}",
            ) from None
    return pa.array(found, type=pa.float64())


def _number(text: str) -> float:
    if "_" in text:  # Python reads 1_000, nobody else does
        raise ValueError(text)
    return float(text)


def _open_json(path: Path, signature: Signature, where: str) -> Rows:
    import pyarrow.json as pa_json

    kinds = {item.name: pa.string() if item.datatype == "BYTES" else pa.float64() for item in signature.inputs}
    if path.stat().st_size == 0:
        raise BatchFileError("the file is empty", expected="one JSON object a line", where=where)
    with pa_json.open_json(path, read_options=pa_json.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False)) as first:
        present = first.schema.names
    wanted = pa.schema([(name, kind) for name, kind in kinds.items() if name in present])
    reader = pa_json.open_json(
        path,
        read_options=pa_json.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=pa_json.ParseOptions(explicit_schema=wanted, unexpected_field_behavior="infer"),
    )
    schema = pa.schema([reader.schema.field(name) for name in present])
    return schema, (table.select(present) for table in _tables(reader, where))


def _tables(batches: Iterable[pa.RecordBatch], where: str, broken: list[str] | None = None) -> Iterator[pa.Table]:
    done = 0
    try:
        for batch in batches:
            yield pa.Table.from_batches([batch]).replace_schema_metadata()
            done += batch.num_rows
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(error, f"{where}, after row {done}" if done else where, broken) from error


def _unreadable(error: Exception, where: str, broken: list[str] | None = None) -> BatchFileError:
    found = f"a line of {broken[0]}" if broken else str(error).splitlines()[0][:200]
    return BatchFileError("the file cannot be read", found=found, where=where)
