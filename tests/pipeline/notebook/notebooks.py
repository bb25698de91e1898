"""Notebooks as a person's Jupyter saves them, made from the text of their cells."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["make_notebook"]


def make_notebook(*cells: str | tuple[str, ...], minor: int = 5, **metadata: Any) -> str:
    """A notebook with old outputs. A cell is its text, or its text and tags; prose begins with ``# ``."""
    made = []
    for number, entry in enumerate(cells, start=1):
        source, *tags = (entry,) if isinstance(entry, str) else entry
        cell: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}
        if tags:
            cell["metadata"]["tags"] = tags
        if minor >= 5:
            cell["id"] = f"cell-{number}"
        if not source.startswith("# "):
            cell["cell_type"] = "code"
            cell |= {"execution_count": 40 + number, "outputs": [_stream("an old output\n")]}
            cell["metadata"]["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
        made.append(cell)
    facts = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, **metadata}
    value = {"cells": made, "metadata": facts, "nbformat": 4, "nbformat_minor": minor}
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _stream(text: str) -> dict[str, Any]:
    return {"name": "stdout", "output_type": "stream", "text": [text]}
