"""Read the rows that an estimator shall answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["read_rows"]


def read_rows(path: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """The columns of a rows file: float64 arrays, and lists of str or None."""
    with np.load(path, allow_pickle=False) as archive:
        meta = json.loads(archive["columns"].tobytes())
        columns: dict[str, Any] = {}
        for index, column in enumerate(meta):
            if column["kind"] == "number":
                columns[column["name"]] = archive[f"c{index}"]
                continue
            text, ends, null = archive[f"c{index}.text"].tobytes(), archive[f"c{index}.ends"], archive[f"c{index}.null"]
            starts = [0, *ends.tolist()]
            columns[column["name"]] = [
                None if null[row] else text[starts[row] : starts[row + 1]].decode() for row in range(len(ends))
            ]
    return meta, columns
