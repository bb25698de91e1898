"""Columns as the graph takes them: tensors [N, 1], without validation; a missing text has a sign of its own."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from mintage.model.signature import Signature

__all__ = ["graph_tensors"]

Array = np.ndarray[Any, Any]


def graph_tensors(columns: Mapping[str, Array], signature: Signature, taken: Container[str]) -> dict[str, Array]:
    """The inputs in ``taken`` out of columns of float64, or of str and None."""
    found = {}
    for item in signature.inputs:
        if item.name not in taken:
            continue
        column = columns[item.name]
        if item.datatype == "BYTES":
            values = [signature.missing_text if value is None else value for value in column.tolist()]
            column = np.empty(len(values), dtype=object)
            column[:] = values
        found[item.name] = column.reshape(-1, 1)
    return found
