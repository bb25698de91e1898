"""golden.json of the exports that run ONNX: the golden rows and their answers in one file, and one row for a README.

>>> template_text("{{a}} and {{b}}", a="1", b="{{a}}")
'1 and {{a}}'
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from mintage.model.package import Package
from mintage.record.canonical import canonical_bytes

__all__ = ["example_row", "golden_json", "resource", "template_text"]


def golden_json(package: Package) -> bytes:
    """``{"columns", "values", "labels", "tolerance"}``; null is a missing value.

    ``values`` are rows of all FP64 outputs side by side, ``labels`` of all INT64 ones. A value may be off by
    ``tolerance``, as a share of it if it is beyond one; a label may not.
    """
    golden = package.golden
    return canonical_bytes(
        {
            "columns": _columns(package, slice(None)),
            "values": golden.values.tolist(),
            "labels": golden.labels.tolist(),
            "tolerance": golden.tolerance,
        }
    )


def example_row(package: Package) -> str:
    """A golden row as JSON, indented; the one with the fewest missing values."""
    columns = _columns(package, slice(None))
    missing = [sum(value is None for value in row) for row in zip(*columns.values(), strict=True)]
    place = missing.index(min(missing))
    return json.dumps({name: values[place] for name, values in columns.items()}, ensure_ascii=False, indent=2)


def _columns(package: Package, rows: slice) -> Mapping[str, list[Any]]:
    found = {}
    for item in package.signature.inputs:
        values = package.golden.columns[item.name][rows].tolist()
        found[item.name] = values if item.datatype == "BYTES" else [_number(value) for value in values]
    return found


def _number(value: float) -> float | int | None:
    """As people write it: null for NaN, 3 for 3.0."""
    if value != value:  # noqa: PLR0124 NaN
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def resource(folder: str, name: str) -> bytes:
    """A file that goes into an export as it is."""
    return (files("mintage.model.export") / folder / name).read_bytes()


def template_text(text: str, **values: str) -> str:
    """Fill in ``{{name}}``; what is filled in is not looked at again."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)
