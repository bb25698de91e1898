"""What the bytes of an output mean: plain values that can be compared, without what a writer stamps. Pure.

JSON, CSV, Parquet, NumPy arrays, ZIP archives (skops, npz), gzip, SVG and LightGBM's text are understood by the ending
of their name; anything else, and what cannot be read, means its bytes. Nothing is unpickled, ever.

>>> content("a.json", b'{"b": 1, "a": [2.0]}') == content("a.json", b'{"a":[2.0],"b":1}')
True
>>> content("a.bin", b"x")
b'x'
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["content"]

_MOST_BYTES = 512 << 20
_SVG_ID = re.compile(rb"\bid=\"([^\"]+)\"")
_SVG_DATE = re.compile(rb"<dc:date>[^<]*</dc:date>")


def content(path: str, data: bytes) -> Any:
    """The values in ``data`` by the ending of ``path``; the bytes themselves where they mean nothing known."""
    reader = next((reader for ending, reader in _READERS.items() if path.lower().endswith(ending)), None)
    if reader is None or len(data) > _MOST_BYTES:
        return data
    try:
        return reader(path, data)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RecursionError):
        return data


def _json(_: str, data: bytes) -> Any:
    return json.loads(data)


def _json_lines(_: str, data: bytes) -> Any:
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def _csv(path: str, data: bytes) -> Any:
    separator = "\t" if path.lower().endswith(".tsv") else ","
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=separator)
    return [[_cell(cell) for cell in row] for row in rows]


def _cell(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text) if "_" not in text else text
        except ValueError:
            continue
    return text


def _gzip(path: str, data: bytes) -> Any:
    inflate = zlib.decompressobj(wbits=31)
    plain = inflate.decompress(data, _MOST_BYTES)
    if inflate.unconsumed_tail or inflate.unused_data or not inflate.eof:
        raise ValueError("too large, cut off, or more than one member")
    return content(path[: -len(".gz")], plain)


def _zip(_: str, data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
            raise ValueError("too large")
        return {name: content(name, archive.read(name)) for name in archive.namelist()}


def _array(_: str, data: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _parquet(_: str, data: bytes) -> Any:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))  # what it raises of a bad file are ValueError and OSError
    return {
        name: {"type": str(column.type), "values": _values(column)}
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _values(column: Any) -> Any:
    import pyarrow.types as kinds

    plain = (kinds.is_integer(column.type) or kinds.is_floating(column.type)) and not column.null_count
    return column.to_numpy() if plain else column.to_pylist()


def _svg(_: str, data: bytes) -> bytes:
    """Without the date, and with ids numbered as they come: matplotlib makes them up."""
    plain = _SVG_DATE.sub(b"", data)
    names: list[bytes] = list(dict.fromkeys(_SVG_ID.findall(plain)))
    for number, name in enumerate(names):
        plain = re.sub(rb"(?<=[\"#])" + re.escape(name) + rb"(?=[\")])", b"id%d" % number, plain)
    return plain


def _text(_: str, data: bytes) -> Any:
    """LightGBM's text without its parameters, which say how many threads it had."""
    if not data.startswith(b"tree\n"):
        return data
    before, after = data.split(b"\nparameters:", 1) if b"\nparameters:" in data else (data, b"")
    return [before, after.partition(b"end of parameters")[2]]


_READERS: dict[str, Callable[[str, bytes], Any]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".tsv": _csv,
    ".gz": _gzip,
    ".parquet": _parquet,
    ".npy": _array,
    ".npz": _zip,
    ".zip": _zip,
    ".skops": _zip,
    ".svg": _svg,
    ".txt": _text,
}
