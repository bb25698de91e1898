"""Write columns of the user's program as plain files: one npz a table and a JSON file that says what is in it.

No pickle: numbers as they are, times as int64 with their unit, everything else as text. A missing value of a column
whose type has room for none is told by a mask.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from .columns import room_of

__all__ = ["store_table"]


def store_table(folder: str, name: str, columns: list[tuple[str, Any]]) -> None:
    """Write ``columns`` (name, values) as ``<name>.npz`` and ``<name>.json`` into ``folder``."""
    numpy = sys.modules["numpy"]
    arrays: dict[str, Any] = {}
    said = []
    for place, (label, values) in enumerate(columns):
        kind, parts = _plain(values)
        said.append({"name": label, **kind})
        for part, array in parts.items():
            arrays[f"{place}.{part}"] = array
    with open(os.path.join(folder, name + ".npz"), "wb") as stream:
        numpy.savez(stream, **arrays)
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as text:
        json.dump(said, text)


def _plain(values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What kind of column it is, and the arrays that hold it."""
    room = room_of(values)
    if room == "polars":
        return _of_polars(values)
    if room == "pandas":
        return _of_pandas(values)
    return _of_numpy(values)


def _of_numpy(values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    numpy = sys.modules["numpy"]
    if values.dtype.kind in "biu":
        return {"kind": "number"}, {"values": numpy.ascontiguousarray(values)}
    if values.dtype.kind == "f":
        small = values.dtype.itemsize <= 4
        return {"kind": "number"}, {"values": numpy.array(values, dtype=numpy.float32 if small else numpy.float64)}
    if values.dtype.kind == "M":
        return _times(values.astype("datetime64[ns]"), None)
    return _objects(values.tolist())


def _of_pandas(values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    numpy, kind = sys.modules["numpy"], getattr(values.dtype, "kind", "O")
    if str(values.dtype) == "category":
        return _objects(values.astype(object).tolist())
    if kind == "M":
        zone = getattr(values.dtype, "tz", None)
        plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else values
        return _times(plain.to_numpy(dtype="datetime64[ns]"), None if zone is None else str(zone))
    if kind in "biuf" and isinstance(values.dtype, numpy.dtype):
        return _of_numpy(values.to_numpy())
    if kind in "biuf":
        missing = values.isna().to_numpy(dtype=bool)
        filled = values.fillna(False if kind == "b" else 0)
        plain = filled.to_numpy(dtype=getattr(values.dtype, "numpy_dtype", None) or numpy.float64)
        return {"kind": "number"}, {"values": plain, "missing": missing}
    return _objects([None if gone else value for value, gone in zip(values.tolist(), values.isna().tolist())])


def _of_polars(values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    numpy, name = sys.modules["numpy"], str(values.dtype)
    if name.startswith("Datetime") or name == "Date":
        whole = values.cast(sys.modules["polars"].Datetime("ns"))
        return _times(whole.to_numpy().astype("datetime64[ns]"), getattr(values.dtype, "time_zone", None))
    if values.dtype.is_numeric() or name == "Boolean":
        missing = values.is_null().to_numpy()
        filled = values.fill_null(False if name == "Boolean" else 0).to_numpy()
        return {"kind": "number"}, {"values": numpy.ascontiguousarray(filled), "missing": missing}
    return _objects(values.to_list())


def _times(values: Any, zone: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    numpy = sys.modules["numpy"]
    return {"kind": "time", "zone": zone}, {"values": values.view(numpy.int64), "missing": numpy.isnat(values)}


def _objects(values: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A column of Python objects: numbers if all are, else text; None and NaN are missing."""
    numpy = sys.modules["numpy"]
    gone = [value is None or value != value or str(value) == "<NA>" for value in values]  # noqa: PLR0124 NaN
    there = [value for value, none in zip(values, gone) if not none]
    for kinds, dtype, blank in (((bool,), bool, False), ((int,), numpy.int64, 0), ((int, float), numpy.float64, 0.0)):
        if there and all(type(value) in kinds for value in there):
            filled = [blank if none else value for value, none in zip(values, gone)]
            return {"kind": "number"}, {"values": numpy.array(filled, dtype=dtype), "missing": numpy.array(gone)}
    texts = [b"" if none else str(v).encode("utf-8", "replace") for v, none in zip(values, gone)]
    ends = numpy.zeros(len(texts) + 1, dtype=numpy.int64)
    ends[1:] = numpy.cumsum([len(text) for text in texts])
    data = numpy.frombuffer(b"".join(texts), dtype=numpy.uint8)
    return {"kind": "text"}, {"data": data, "ends": ends, "missing": numpy.array(gone, dtype=bool)}
