"""Notebooks (.ipynb, format 4) as text that people edit: their cells, the text without outputs, the digest of the code.

``strip_notebook`` takes out what running a cell in Jupyter changes, and nothing else; it is stable under repetition.
``code_digest`` names what a run depends on: the sources and tags of the code cells in their order. Prose, outputs and
counts are not part of it. Nothing is run. Numbers of cells count the code cells that are not empty, from 1.

>>> data = b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": ["a = 1"], "outputs": [1]}]}'
>>> [(cell.number, cell.source) for cell in code_cells(parse_notebook(data, where="n.ipynb"))]
[(1, 'a = 1')]
>>> code_digest(data, where="n.ipynb") == code_digest(strip_notebook(data, where="n.ipynb"), where="n.ipynb")
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mintage.errors import NotebookMalformedError
from mintage.record.digest import blake3_bytes

__all__ = ["NOTEBOOK", "Cell", "code_cells", "code_digest", "notebook_bytes", "parse_notebook", "strip_notebook"]

NOTEBOOK = ".ipynb"
_LIMIT = 256 << 20
_CELL_MARKS = ("ExecuteTime", "collapsed", "execution", "mintage", "papermill", "scrolled")
_NOTEBOOK_MARKS = ("papermill", "signature", "widgets")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One code cell: its number, its place among all cells, its text and tags."""

    number: int
    place: int
    source: str
    tags: tuple[str, ...]


def parse_notebook(data: bytes, *, where: str) -> dict[str, Any]:
    """The notebook as JSON values; raises NotebookMalformedError for what is not a Python notebook of format 4."""
    if len(data) > _LIMIT:
        raise _malformed(where, found=f"{len(data) >> 20} MiB", hint="clear its outputs")
    import json

    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _malformed(where, found=str(error), hint="open it in Jupyter, and save it again") from None
    if not isinstance(value, dict) or value.get("nbformat") != 4 or not isinstance(value.get("cells"), list):
        found = f"format {value.get('nbformat')}" if isinstance(value, dict) else type(value).__name__
        raise _malformed(where, found=found, hint="open it in Jupyter, and save it again")
    for cell in value["cells"]:
        if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict) or not _has_text(cell):
            raise _malformed(where, found="a cell without text", hint="open it in Jupyter, and save it again")
    language = _language(value)
    if language != "python":
        raise _malformed(where, found=f"a notebook in {language}", hint="run it with a command of its own language")
    return value


def _malformed(where: str, *, found: str, hint: str) -> NotebookMalformedError:
    return NotebookMalformedError(
        "this is no notebook that can be run",
        expected="a Python notebook of format 4",
        found=found,
        where=where,
        hint=hint,
    )


def _has_text(cell: Mapping[str, Any]) -> bool:
    source = cell.get("source")
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _language(value: Mapping[str, Any]) -> str:
    metadata = value.get("metadata")
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        facts = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(facts, dict) and isinstance(facts.get(key), str):
            return str(facts[key]).lower()
    return "python"


def code_cells(value: Mapping[str, Any]) -> tuple[Cell, ...]:
    """The code cells that are not empty, of a parsed notebook."""
    found: list[Cell] = []
    for place, cell in enumerate(value["cells"]):
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        if cell.get("cell_type") == "code" and source.strip():
            tags = cell.get("metadata", {}).get("tags", ())
            tags = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
            found.append(Cell(number=len(found) + 1, place=place, source=source, tags=tags))
    return tuple(found)


def strip_notebook(data: bytes, *, where: str) -> bytes:
    """The notebook without outputs, counts and traces of running; order of keys and all else stay."""
    value = parse_notebook(data, where=where)
    for cell in value["cells"]:
        metadata = cell.get("metadata", {})
        for mark in _CELL_MARKS:
            metadata.pop(mark, None)
        if cell.get("cell_type") == "code":
            cell["execution_count"], cell["outputs"] = None, []
    if isinstance(value.get("metadata"), dict):
        for mark in _NOTEBOOK_MARKS:
            value["metadata"].pop(mark, None)
    return notebook_bytes(value)


def notebook_bytes(value: Mapping[str, Any]) -> bytes:
    """The bytes as Jupyter writes them: one space a level, text unescaped, a line end at the end."""
    import json

    text = json.dumps(value, indent=1, ensure_ascii=False)
    return (text + "\n").encode("utf-8", "surrogatepass")


def code_digest(data: bytes, *, where: str) -> str:
    """The BLAKE3 id of what a run of the notebook depends on."""
    import json

    cells = [
        {"source": cell.source, "tags": sorted(cell.tags)} for cell in code_cells(parse_notebook(data, where=where))
    ]
    return blake3_bytes(json.dumps(cells, sort_keys=True).encode())  # plain ASCII, whatever the text is
