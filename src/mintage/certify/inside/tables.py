"""Columns as arrays of an npz file, without pickle: numbers as float64, texts and None as JSON.

>>> columns = {"a": np.array([1.0, np.nan]), "kind": np.array(["x", None], dtype=object)}
>>> {name: column.tolist() for name, column in unpack(pack(columns)).items()}
{'a': [1.0, nan], 'kind': ['x', None]}
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

__all__ = ["pack", "unpack"]


def pack(columns: Any) -> dict[str, Any]:
    """The arrays of a mapping of columns; raises ValueError for one that holds neither numbers nor texts."""
    arrays: dict[str, Any] = {"names": _bytes([str(name) for name in columns])}
    for place, (name, values) in enumerate(columns.items()):
        column = np.asarray(values)
        if column.ndim != 1:
            raise ValueError(f"column {name} has the shape {list(column.shape)}, not one value a row")
        if column.dtype.kind in "fiub":
            arrays[f"n{place}"] = column.astype(np.float64)
        elif column.dtype.kind in "OU":
            arrays[f"t{place}"] = _bytes([None if value is None else str(value) for value in column.tolist()])
        else:
            raise ValueError(f"column {name} holds {column.dtype}: neither numbers nor texts")
    return arrays


def unpack(arrays: Any) -> dict[str, Any]:
    """The columns of such arrays; raises KeyError or ValueError if they are something else."""
    columns = {}
    for place, name in enumerate(json.loads(arrays["names"].tobytes())):
        if f"n{place}" in arrays:
            columns[name] = arrays[f"n{place}"]
            continue
        values = json.loads(arrays[f"t{place}"].tobytes())
        if not all(value is None or isinstance(value, str) for value in values):
            raise ValueError(f"column {name} holds something else than texts")
        columns[name] = np.empty(len(values), dtype=object)
        columns[name][:] = values
    return columns


def _bytes(value: Any) -> Any:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)
