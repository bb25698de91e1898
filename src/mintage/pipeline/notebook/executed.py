"""Read an executed notebook: as text without pictures and HTML, and which cell it stopped at. Pure.

>>> cell = {"cell_type": "code", "source": "1 / 0", "metadata": {"mintage": {"status": "failed"}}, "outputs": []}
>>> notebook = {"cells": [{"cell_type": "markdown", "source": "# Fit", "metadata": {}}, cell]}
>>> stopped_at(notebook).place
'cell 1 of 1, `1 / 0`'
>>> print(as_text(notebook))
# Fit
<BLANKLINE>
--- cell 1, failed
1 / 0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mintage.repo.notebook import code_cells

__all__ = ["Stopped", "as_text", "stopped_at"]

_LINE = 60


@dataclass(frozen=True)
class Stopped:
    """Where a notebook stopped (the cell, its first line) and what the cell showed until then."""

    place: str
    said: str


def stopped_at(notebook: Mapping[str, Any]) -> Stopped | None:
    """The cell that failed, left, or was running at the end; None if there is none."""
    cells = [cell for cell in code_cells(notebook) if "injected-parameters" not in cell.tags]
    for number, cell in enumerate(cells, start=1):
        found = notebook["cells"][cell.place]
        if _status(found) in ("exited", "failed", "running"):
            line = next(line for line in cell.source.splitlines() if line.strip()).strip()
            line = line if len(line) <= _LINE else line[: _LINE - 1] + "…"
            place = f"cell {number} of {len(cells)}, `{line}`"
            return Stopped(place, "".join(_shown(found.get("outputs", ()))))
    return None


def _status(cell: Mapping[str, Any]) -> str:
    marks = cell.get("metadata", {}).get("mintage", {})
    return str(marks.get("status", "not run")) if isinstance(marks, dict) else "not run"


def as_text(notebook: Mapping[str, Any]) -> str:
    """All cells with what they printed and showed as text."""
    parts, number = [], 0
    for cell in notebook["cells"]:
        source = _text(cell["source"]).rstrip("\n")
        if cell.get("cell_type") != "code":
            parts.append(source)
            continue
        if not source.strip():
            continue
        given = "injected-parameters" in cell.get("metadata", {}).get("tags", ())
        number += not given
        status = _status(cell)
        head = "--- given parameters" if given else f"--- cell {number}"
        head += "" if status == "done" else f", {status}"
        shown = "".join(_shown(cell.get("outputs", ()))).rstrip("\n")
        parts.append(f"{head}\n{source}" + (f"\n--- shows\n{shown}" if shown else ""))
    return "\n\n".join(parts)


def _shown(outputs: Any) -> Iterator[str]:
    for output in outputs:
        if output.get("output_type") == "stream":
            yield _text(output["text"])
        elif output.get("output_type") == "error":
            yield "\n".join(output["traceback"]) + "\n"
        else:
            data = output.get("data", {})
            kinds = ", ".join(sorted(data))
            yield (_text(data["text/plain"]) if "text/plain" in data else f"({kinds})") + "\n"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "".join(value)
